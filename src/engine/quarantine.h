#pragma once
// The damaged tasks: nothing is sent for them and nothing is added to their journals; all others go
// on. Few, and known again after a restart. Thread-safe.
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/damage.h"

namespace perdure::engine {

class Quarantine {
 public:
  // What earlier processes found.
  Status load(StoreReader& store);

  // False: it was known before.
  bool add(Damage damage);
  // The task is known.
  void end(Damage damage);
  // It is as it was written again.
  void lift(const TaskId& task);

  bool holds(const TaskId& task) const { return size_ != 0 && find(task).has_value(); }
  std::optional<Damage> find(const TaskId& task) const;
  // Of one tenant, the newest task first, older than `before`.
  std::vector<Damage> list(const std::string& tenant, const std::optional<TaskId>& before,
                           size_t limit) const;
  size_t standing() const;
  std::vector<Damage> all_standing() const;

 private:
  mutable std::mutex mutex_;
  std::map<TaskId, Damage> damaged_;
  std::atomic<size_t> size_{0};
};

}  // namespace perdure::engine
