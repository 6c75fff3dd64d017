#pragma once
// How far times reach, wherever they come from.
#include <cstdint>

namespace perdure {

// The end of the year 9999: RFC 3339 can write no later time.
inline constexpr int64_t kTimeMaxMs = 253'402'300'799'999;
// A century: no wait is longer, so that sums of a time and waits cannot overflow.
inline constexpr int64_t kWaitMaxMs = 100LL * 366 * 86'400'000;

}  // namespace perdure
