#pragma once
#include <atomic>

#include "ports/clock.h"

namespace perdure::test {

// Both of its times stand still, but for what a test does to them, on any thread.
class SetClock final : public Clock {
 public:
  int64_t unix_ms() override { return wall_ms; }
  int64_t monotonic_us() override { return steady_ms * 1000; }

  std::atomic<int64_t> wall_ms{1'700'000'000'000};
  std::atomic<int64_t> steady_ms{1'000'000};
};

}  // namespace perdure::test
