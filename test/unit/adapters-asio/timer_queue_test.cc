#include "adapters/asio/timer_queue.h"

#include <chrono>
#include <thread>
#include <vector>

#include "fixture.h"

namespace perdure::http {
namespace {

using std::chrono::steady_clock;

TEST(Timers, CallInTheOrderOfTheirTimes) {
  TestServer test;
  Timers& timers = test.server.timers();
  std::vector<int> order;
  std::promise<void> done;
  timers.after(40, [&] {
    order.push_back(3);
    done.set_value();
  });
  timers.after(0, [&] { order.push_back(1); });
  timers.after(20, [&] { order.push_back(2); });
  ASSERT_TRUE(arrives(done.get_future()));
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(Timers, NeverCallEarly) {
  TestServer test;
  for (const int delay_ms : {1, 2, 5, 11}) {
    const auto began = steady_clock::now();
    std::promise<steady_clock::time_point> called;
    test.server.timers().after(delay_ms, [&] { called.set_value(steady_clock::now()); });
    auto at = called.get_future();
    ASSERT_TRUE(arrives(at));
    EXPECT_GE(at.get() - began, std::chrono::milliseconds(delay_ms));
  }
}

TEST(Timers, DoNotCallWhatWasCancelled) {
  TestServer test;
  Timers& timers = test.server.timers();
  std::promise<void> done;
  bool called = false;
  const uint64_t first = timers.after(10, [&] { called = true; });
  uint64_t last = 0;
  timers.after(20, [&] { timers.cancel(last); });  // of the same instant, maybe
  last = timers.after(21, [&] { called = true; });
  timers.after(60, [&] { done.set_value(); });
  timers.cancel(first);
  timers.cancel(first);
  timers.cancel(987'654);
  ASSERT_TRUE(arrives(done.get_future()));
  EXPECT_FALSE(called);
}

TEST(Timers, MaySetAnotherFromTheirCall) {
  TestServer test;
  Timers& timers = test.server.timers();
  std::promise<void> done;
  int left = 50;
  std::function<void()> again = [&] {
    --left > 0 ? void(timers.after(left % 2, again)) : done.set_value();
  };
  timers.after(0, again);
  EXPECT_TRUE(arrives(done.get_future()));
}

TEST(Timers, AreSetAndCancelledFromManyThreads) {
  TestServer test;
  Timers& timers = test.server.timers();
  std::atomic<int> called{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        timers.after(i % 7, [&] { ++called; });
        timers.cancel(timers.after(60'000, [] { FAIL() << "it was cancelled"; }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::promise<void> done;
  timers.after(20, [&] { done.set_value(); });
  ASSERT_TRUE(arrives(done.get_future()));
  EXPECT_EQ(called, 2000);
}

TEST(Timers, EndWithTheServer) {
  auto kept = std::make_shared<int>(1);
  TestServer test;
  test.server.timers().after(60'000, [kept] {});
  test.server.stop(0);
  test.server.timers().after(0, [kept] { FAIL() << "the server has ended"; });
  EXPECT_EQ(kept.use_count(), 1);
}

}  // namespace
}  // namespace perdure::http
