#pragma once
#include "ports/clock.h"

namespace perdure {

// The clocks of the kernel: CLOCK_REALTIME, and CLOCK_BOOTTIME, which also runs while the machine
// is suspended. Thread-safe.
class SystemClock : public Clock {
 public:
  int64_t unix_ms() override;
  int64_t monotonic_us() override;
};

// getrandom(2), read ahead in blocks. Thread-safe.
class SystemRng : public Rng {
 public:
  uint64_t next() override;
};

}  // namespace perdure
