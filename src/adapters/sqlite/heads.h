#pragma once
// Where the tasks that were written lately stand, so that a commit need not look them up.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/id.h"

namespace perdure {

struct Head {
  int64_t key = 0;     // of the task's row
  int64_t tenant = 0;  // of the tenant's row
  Seq seq = 0;         // 0: the task has no frame
  Epoch epoch = 0;
  bool ended = false;
};

// Holds at most two generations of `generation_max` tasks: when the younger one is full it becomes
// the older one, and what was not used meanwhile is forgotten.
class Heads {
 public:
  explicit Heads(size_t generation_max) : generation_max_(generation_max) {}

  std::optional<Head> find(const TaskId& task) const {
    if (const auto known = young_.find(task); known != young_.end()) return known->second;
    if (const auto known = old_.find(task); known != old_.end()) return known->second;
    return std::nullopt;
  }

  void put(const TaskId& task, Head head) {
    if (young_.size() >= generation_max_ && !young_.contains(task)) {
      old_ = std::move(young_);
      young_.clear();
    }
    young_[task] = head;
  }

  size_t size() const { return young_.size() + old_.size(); }

 private:
  size_t generation_max_;
  std::unordered_map<TaskId, Head> young_, old_;
};

}  // namespace perdure
