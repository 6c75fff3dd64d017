#pragma once
// Bits that change at rest. The disk itself stays what was written, which is what checkers look at:
// what is read of it is not. Bytes that are written anew are right again.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "adapters/memory/rows.h"
#include "dice.h"
#include "ports/snapshots.h"

namespace perdure::sim {

using SnapshotRows = std::map<std::pair<TaskId, TaskSnapshot::Kind>, TaskSnapshot>;

class Decay {
 public:
  Decay(const StoreRows& rows, const SnapshotRows& snapshots)
      : rows_(rows), snapshots_(snapshots) {}

  // Changes one bit of a frame, of a row, or of the first copy of the secret. False: there is
  // nothing yet.
  bool flip_one(Dice& dice);
  // A process starts: it may pass over what stands before a snapshot that is whole.
  void begin_life();
  // Something of this task is not what was written.
  bool holds(const TaskId& task) const { return differs_behind(task, 0); }
  // The same, of what this life has to read before it does anything for the task.
  bool misleads(const TaskId& task) const;

  // What stands on the disk in place of what was written.
  Frame as_read(const Frame& written) const;
  TaskRow as_read(const TaskRow& written) const;
  TimerRow as_read(const TimerRow& written) const;
  InterruptRow as_read(const InterruptRow& written) const;
  TaskSnapshot as_read(const TaskSnapshot& written) const;
  std::string secret_as_read() const;

 private:
  struct Flip {
    enum class What : uint8_t { kFrame, kTask, kTimer, kInterrupt, kSnapshot, kSecret };
    What what = What::kFrame;
    TaskId task;
    int64_t of = 0;  // of the bytes that have changed: their digest
    uint64_t field = 0;
    uint64_t bit = 0;
  };
  template <class Row>
  Row changed(Flip::What what, const TaskId& task, const Row& written) const;

  bool differs_behind(const TaskId& task, Seq seq) const;

  const StoreRows& rows_;
  const SnapshotRows& snapshots_;
  std::map<TaskId, Seq> passed_over_;  // frames that end before these records
  std::vector<Flip> flips_;
};

}  // namespace perdure::sim
