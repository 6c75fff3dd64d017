#pragma once
// The room on the disk that the store is on. Thread-safe.
#include <cstdint>

namespace perdure {

struct Room {
  uint64_t free_bytes = 0;
  uint64_t reserve_bytes = 0;  // of these, kept for tasks that run
  // Less than the reserve is free, or was a moment ago: nothing new is taken.
  bool low = false;
};

class Space {
 public:
  virtual ~Space() = default;
  // Cheap: a caller need not remember the answer.
  virtual Room look() = 0;
};

}  // namespace perdure
