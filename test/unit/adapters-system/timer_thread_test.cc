#include "adapters/system/timer_thread.h"

#include <gtest/gtest.h>

#include <future>

namespace perdure {
namespace {

TEST(TimerThreadTest, InTheOrderOfTheirTimes) {
  TimerThread timers;
  std::promise<void> done;
  std::string order;
  timers.after(30, [&] {
    order += 'c';
    done.set_value();
  });
  const uint64_t never = timers.after(10, [&] { order += 'x'; });
  timers.after(20, [&] { order += 'b'; });
  timers.after(0, [&] { order += 'a'; });
  timers.cancel(never);
  timers.cancel(12345);
  done.get_future().wait();
  EXPECT_EQ(order, "abc");
}

TEST(TimerThreadTest, WhatIsNotDueIsDropped) {
  const auto held = std::make_shared<int>(1);
  {
    TimerThread timers;
    timers.after(INT64_MAX, [held] { FAIL(); });
    timers.after(1'000'000, [held] { FAIL(); });
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace perdure
