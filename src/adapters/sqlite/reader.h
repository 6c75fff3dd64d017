#pragma once
// The reads of ports/store.h over one connection of their own. Each call is one statement, and so
// one short transaction: a long one would keep the log from being reused.
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/tenants.h"
#include "ports/store.h"

namespace perdure {

// One thread at a time.
class Reader {
 public:
  static Result<std::unique_ptr<Reader>> open(const std::string& path);

  Result<std::optional<TaskRow>> task(const TaskId& id);
  Result<std::vector<TaskRow>> tasks(const TaskQuery& query);
  Result<std::vector<Frame>> frames(const TaskId& id, Seq from_seq, size_t max_bytes);
  Result<std::optional<IdempotencyRow>> idempotency(const std::string& tenant,
                                                    const std::string& route,
                                                    const std::string& key);
  Result<std::vector<InterruptRow>> interrupts(const std::string& tenant,
                                               std::optional<InterruptId> after, size_t limit);
  Result<std::vector<TimerRow>> timers_due(int64_t until_ms, size_t limit);
  Result<std::vector<TaskId>> runnable(std::optional<TaskId> after, size_t limit);
  Result<std::vector<Frame>> frames_after(Pos after, size_t max_bytes);
  Result<StoreCounts> counts(int64_t now_ms);
  Result<std::vector<KeptRow>> kept(const std::string& kind, const std::optional<KeptRow>& after,
                                    size_t limit);
  Result<bool> contains(const Frame& frame);

 private:
  explicit Reader(Database database) : database_(std::move(database)) {}
  Status prepare();
  Status count_tasks(StoreCounts& counts);
  Status count_interrupts(StoreCounts& counts);
  Result<std::vector<TaskRow>> list(Statement& statement, const TaskQuery& query);
  // The rows of a statement whose values are bound.
  template <class Read>
  auto collect(Statement& statement, std::string_view table, Read read)
      -> Result<std::vector<std::invoke_result_t<Read, Columns&>>>;
  Result<std::vector<Frame>> collect_frames(Statement& statement, Seq from_seq, size_t max_bytes);
  Error damaged(std::string_view table) const;

  Database database_;
  Tenants tenants_;
  Statement task_, tasks_, tasks_by_status_, tasks_of_session_, frames_, idempotency_;
  Statement interrupts_, timers_, runnable_, kept_, contains_;
  Statement frames_after_, count_tasks_, count_interrupts_, count_timers_;
};

}  // namespace perdure
