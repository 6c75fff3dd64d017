#pragma once
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "ports/row_digest.h"
#include "ports/snapshots.h"

namespace perdure::test {

// Keeps rows with the digests that they were put with, so that a test may spoil one.
class MemorySnapshots final : public Snapshots {
 public:
  using Key = std::pair<TaskId, TaskSnapshot::Kind>;
  struct Row {
    TaskSnapshot snapshot;
    int64_t digest = 0;
  };

  std::optional<TaskSnapshot> find(const TaskId& task, TaskSnapshot::Kind kind) override {
    const std::lock_guard lock(mutex_);
    const auto row = rows.find({task, kind});
    if (row == rows.end() || digest_of(row->second.snapshot) != row->second.digest) {
      return std::nullopt;
    }
    ++found;
    return row->second.snapshot;
  }
  Status put(const TaskSnapshot& snapshot) override {
    const std::lock_guard lock(mutex_);
    if (is_full) return fail(Code::kExhausted, "planted");
    ++written;
    written_bytes += snapshot.body.size();
    rows[{snapshot.task, snapshot.kind}] = {snapshot, digest_of(snapshot)};
    return {};
  }
  void drop(const TaskId& task) override {
    const std::lock_guard lock(mutex_);
    rows.erase({task, TaskSnapshot::Kind::kState});
    rows.erase({task, TaskSnapshot::Kind::kPlanner});
  }
  uint64_t size_bytes(const TaskId& task, TaskSnapshot::Kind kind) override {
    const std::lock_guard lock(mutex_);
    const auto row = rows.find({task, kind});
    return row == rows.end() ? 0 : row->second.snapshot.body.size();
  }
  std::vector<TaskId> tasks() override {
    const std::lock_guard lock(mutex_);
    std::set<TaskId> named;
    for (const auto& [key, row] : rows) named.insert(key.first);
    return {named.begin(), named.end()};
  }

  std::map<Key, Row> rows;
  size_t found = 0;
  size_t written = 0;
  uint64_t written_bytes = 0;
  bool is_full = false;

 private:
  std::mutex mutex_;
};

}  // namespace perdure::test
