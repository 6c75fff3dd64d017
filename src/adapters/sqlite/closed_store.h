#pragma once
// ports/closed_store.h over the database of a data directory that nobody else has open.
#include <memory>
#include <string>

#include "adapters/sqlite/data_dir.h"
#include "adapters/sqlite/meta.h"
#include "adapters/sqlite/reader.h"
#include "adapters/sqlite/writer.h"
#include "ports/closed_store.h"

namespace perdure {

class ClosedSqlite : public ClosedStore {
 public:
  enum class Use : bool { kInspect, kMend };
  // Of this binary's format; kUnsupported: it has an older one, whose rows have no digests.
  static Result<std::unique_ptr<ClosedSqlite>> open(DataDir locked, Use use);

  StoreReader& reader() override { return *reader_; }
  std::string secret() const override { return meta_.secret; }
  Result<std::vector<TaskId>> task_ids(std::optional<TaskId> after, size_t limit) override;
  Result<JournalPlace> place_of(const TaskId& id) override;
  Status commit(const Batch& rows) override;
  Status put_head(const TaskId& id, const Frame* newest) override;
  Status mend_lists(const std::function<void(const std::string&)>& note) override;

  Database& database() { return reader_->database(); }
  const StoreMeta& meta() const { return meta_; }

 private:
  ClosedSqlite(DataDir locked, std::unique_ptr<Reader> reader)
      : dir_(std::move(locked)), reader_(std::move(reader)) {}
  Status prepare(Use use);

  // Destroyed from the end: statements before the connection, which the reader has, then the lock.
  DataDir dir_;
  std::unique_ptr<Reader> reader_;
  StoreMeta meta_;
  Statement ids_, place_, key_, set_head_, drop_head_, set_tenant_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace perdure
