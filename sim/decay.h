#pragma once
// Bits that change at rest. The disk itself stays what was written, which is what checkers look at:
// what is read of it is not. Bytes that are written anew are right again.
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "adapters/memory/rows.h"
#include "dice.h"

namespace perdure::sim {

class Decay {
 public:
  explicit Decay(const StoreRows& rows) : rows_(rows) {}

  // Changes one bit of a frame, of a row, or of the first copy of the secret. False: there is
  // nothing yet.
  bool flip_one(Dice& dice);
  // Something of this task is not what was written.
  bool holds(const TaskId& task) const;

  // What stands on the disk in place of what was written.
  Frame as_read(const Frame& written) const;
  TaskRow as_read(const TaskRow& written) const;
  TimerRow as_read(const TimerRow& written) const;
  InterruptRow as_read(const InterruptRow& written) const;
  std::string secret_as_read() const;

 private:
  struct Flip {
    enum class What : uint8_t { kFrame, kTask, kTimer, kInterrupt, kSecret };
    What what = What::kFrame;
    TaskId task;
    int64_t of = 0;  // of the bytes that have changed: their digest
    uint64_t field = 0;
    uint64_t bit = 0;
  };
  template <class Row>
  Row changed(Flip::What what, const TaskId& task, const Row& written) const;

  const StoreRows& rows_;
  std::vector<Flip> flips_;
};

}  // namespace perdure::sim
