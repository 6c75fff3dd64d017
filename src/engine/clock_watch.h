#pragma once
// Whether the wall clock can be believed. It is measured against the one that never jumps and goes
// on while the machine sleeps; after a leap timers wait until it has been steady for a while, so
// that a clock that was wrong for a moment fires nothing early.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

namespace perdure::engine {

class ClockWatch {
 public:
  // Asked often, about every second or more.
  bool is_steady(int64_t unix_ms, int64_t monotonic_us) {
    const int64_t gap_ms = unix_ms - monotonic_us / 1000;
    if (gap_ms_ && std::llabs(gap_ms - *gap_ms_) > kLeapMs) {
      leap_ms_ = gap_ms - *gap_ms_;
      suspect_until_us_ = monotonic_us + kHoldUs;
    }
    gap_ms_ = gap_ms;
    return monotonic_us >= suspect_until_us_;
  }
  // The newest leap, once.
  std::optional<int64_t> take_leap_ms() { return std::exchange(leap_ms_, std::nullopt); }

 private:
  static constexpr int64_t kLeapMs = 60'000;
  static constexpr int64_t kHoldUs = 600'000'000;

  std::optional<int64_t> gap_ms_;
  std::optional<int64_t> leap_ms_;
  int64_t suspect_until_us_ = INT64_MIN;
};

}  // namespace perdure::engine
