#include "runtime/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>

namespace perdure::runtime {
namespace {

TEST(Workers, TheEndDropsWhatHasNotBegun) {
  std::promise<void> begun, dropped;
  std::atomic<int> finished{0}, ran{0};
  {
    Workers workers(1);
    workers.put([&] {
      begun.set_value();
      dropped.get_future().wait_for(std::chrono::seconds(10));
      ++finished;
      workers.put([&] { ++ran; });
    });
    // Its last owner is the work that is dropped.
    std::shared_ptr<void> token(nullptr, [&](void*) { dropped.set_value(); });
    workers.put([&ran, token = std::move(token)] { ++ran; });
    begun.get_future().wait();
  }
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(ran, 0);
}

}  // namespace
}  // namespace perdure::runtime
