#include "adapters/system/system_clock.h"

#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

namespace perdure {
namespace {

TEST(SystemClock, TellsTheTimeOfDay) {
  const auto now_ms = [] {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  };
  const int64_t before = now_ms();
  const int64_t told = SystemClock().unix_ms();
  EXPECT_LE(before, told);
  EXPECT_LE(told, now_ms());
}

TEST(SystemClock, NeverGoesBackAndGoesOn) {
  SystemClock clock;
  const int64_t first = clock.monotonic_us();
  int64_t last = first;
  while (last == first) {
    const int64_t next = clock.monotonic_us();
    ASSERT_GE(next, last);
    last = next;
  }
}

TEST(SystemRng, IsNotRepeatedByAnyThread) {
  std::set<uint64_t> seen;
  std::mutex mutex;
  int ones = 0;
  const auto draw = [&] {
    SystemRng rng;
    for (int i = 0; i < 1000; ++i) {
      const uint64_t value = rng.next();
      const std::lock_guard lock(mutex);
      EXPECT_TRUE(seen.insert(value).second);
      ones += std::popcount(value);
    }
  };
  std::thread other(draw);
  draw();
  other.join();
  EXPECT_NEAR(ones, 64'000, 1'800) << "ten standard deviations";
}

}  // namespace
}  // namespace perdure
