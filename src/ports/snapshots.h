#pragma once
// What the fold of a long journal had come to at some record, so that the next one begins there. A
// cache, never the truth: whoever finds none folds from the beginning, and comes to the same.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/id.h"

namespace perdure {

struct TaskSnapshot {
  enum class Kind : uint8_t {
    kState,    // of the task
    kPlanner,  // of what its planner remembers
  };
  TaskId task;
  Kind kind = Kind::kState;
  Seq seq = 0;          // the newest record in it, the last one of its frame
  Sha256 chain;         // of that frame: another journal has another one
  uint64_t format = 0;  // of the body, and of the fold that made it
  std::string body;
};

// Thread-safe, but one thread at a time puts that of one task and kind.
class Snapshots {
 public:
  virtual ~Snapshots() = default;
  // Nothing if there is none, or if it is not what was written, byte for byte.
  virtual std::optional<TaskSnapshot> find(const TaskId& task, TaskSnapshot::Kind kind) = 0;
  // Replaces the one before, which whoever reads meanwhile still finds. It may be lost with the
  // power, and any failure leaves no more than no snapshot.
  virtual Status put(const TaskSnapshot& snapshot) = 0;
  virtual void drop(const TaskId& task) = 0;  // of all kinds
  // Of its body, about; 0: there is none.
  virtual uint64_t size_bytes(const TaskId& task, TaskSnapshot::Kind kind) = 0;
  virtual std::vector<TaskId> tasks() = 0;  // that have one
};

}  // namespace perdure
