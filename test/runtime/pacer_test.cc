#include "runtime/pacer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "fakes/set_clock.h"

namespace perdure::runtime {
namespace {

// Timers that run when the clock is moved.
class SteppedTimers : public Timers {
 public:
  explicit SteppedTimers(test::SetClock& clock) : clock_(clock) { clock_.steady_ms = 0; }
  uint64_t after(int64_t delay_ms, std::function<void()> callback) override {
    due_.emplace(std::pair(clock_.steady_ms.load() + delay_ms, ++last_), std::move(callback));
    return last_;
  }
  void cancel(uint64_t) override {}
  void move_to(int64_t ms) {
    while (!due_.empty() && due_.begin()->first.first <= ms) {
      clock_.steady_ms = std::max(clock_.steady_ms.load(), due_.begin()->first.first);
      const auto callback = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      callback();
    }
    clock_.steady_ms = ms;
  }

 private:
  test::SetClock& clock_;
  std::map<std::pair<int64_t, uint64_t>, std::function<void()>> due_;
  uint64_t last_ = 0;
};

// A provider that takes so many calls a second and has room for a second's worth at once.
class Bucket {
 public:
  explicit Bucket(double a_second) : a_second_(a_second), left_(a_second) {}
  bool takes(int64_t now_ms) {
    left_ = std::min(a_second_, left_ + a_second_ * static_cast<double>(now_ms - at_ms_) / 1000);
    at_ms_ = now_ms;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double a_second_;
  double left_;
  int64_t at_ms_ = 0;
};

class PacerTest : public testing::Test {
 protected:
  // A call that goes on until it is answered.
  void call(const std::string& tenant, int number) {
    const TaskId task = TaskId::make(1, static_cast<uint64_t>(number), 1);
    pacer_.enter("m", {tenant,
                       {task, "s"},
                       [this, tenant, number] {
                         const int64_t sent_ms = clock_.steady_ms.load();
                         if (bucket_.takes(sent_ms)) {
                           answered_[tenant].push_back(sent_ms);
                           pacer_.answered("m", sent_ms);
                         } else {
                           ++refused_;
                           pacer_.refused("m", sent_ms, 1'000);
                           again(tenant, number, 1'000);
                         }
                       },
                       [this, tenant, number](int64_t wait_ms) {
                         ++told_;
                         again(tenant, number, wait_ms);
                       }});
  }
  // With the jitter that the core adds.
  void again(const std::string& tenant, int number, int64_t wait_ms) {
    timers_.after(wait_ms + (number * 7919) % 1000,
                  [this, tenant, number] { call(tenant, number); });
  }

  test::SetClock clock_;
  SteppedTimers timers_{clock_};
  Pacer pacer_{clock_, &timers_};
  Bucket bucket_{4};
  std::map<std::string, std::vector<int64_t>> answered_;  // when
  int refused_ = 0;
  int told_ = 0;
};

TEST_F(PacerTest, NothingIsHeldBackBeforeTheProviderSaysThatItIsTooMuch) {
  for (int i = 0; i < 4; ++i) call("a", i);
  EXPECT_EQ(answered_["a"].size(), 4u);
  EXPECT_EQ(told_, 0);
}

TEST_F(PacerTest, ATenantThatComesLaterIsNextInTurn) {
  for (int i = 0; i < 200; ++i) call("a", i);
  std::vector<int64_t> waits_ms;
  for (int64_t at_ms = 2'000; at_ms <= 30'000; at_ms += 1'370) {
    timers_.move_to(at_ms);
    const std::string name = "b" + std::to_string(at_ms);
    call(name, 1'000 + static_cast<int>(at_ms));
    timers_.move_to(at_ms + 1'350);
    ASSERT_EQ(answered_[name].size(), 1u) << "at " << at_ms;
    waits_ms.push_back(answered_[name].front() - at_ms);
  }
  std::sort(waits_ms.begin(), waits_ms.end());
  EXPECT_LE(waits_ms[waits_ms.size() / 2], 300);
  EXPECT_LE(waits_ms.back(), 1'300) << "behind a refusal, which asked for a second";
}

TEST_F(PacerTest, TheProviderIsKeptBusyAndSeldomAskedInVain) {
  for (int i = 0; i < 400; ++i) call("a", i);
  const int in_the_first_burst = refused_;
  timers_.move_to(60'000);
  EXPECT_GE(answered_["a"].size(), 0.7 * 4 * 60);
  EXPECT_LE(refused_ - in_the_first_burst, 12);
  EXPECT_LE(told_, 3 * 400) << "who waits is told when it is worth to come again";
}

TEST_F(PacerTest, WhoLeavesIsToldAtOnce) {
  for (int i = 0; i < 6; ++i) call("a", i);
  timers_.move_to(2'100);
  int told = 0;
  const Pacer::Position position{TaskId::make(9, 9, 9), "s"};
  pacer_.refused("m", clock_.steady_ms, 1'000);
  pacer_.enter("m", {"c", position, [] { FAIL() << "it has left"; }, [&](int64_t) { ++told; }});
  EXPECT_EQ(told, 0);
  EXPECT_TRUE(pacer_.leave(position));
  EXPECT_FALSE(pacer_.leave(position));
  EXPECT_EQ(told, 1);
  timers_.move_to(30'000);
}

TEST_F(PacerTest, OnceItIsStoppedNothingGoesOut) {
  for (int i = 0; i < 20; ++i) call("a", i);
  const size_t before = answered_["a"].size();
  pacer_.stop();
  const int told = told_;
  timers_.move_to(1'900);  // before any that was told comes again
  EXPECT_EQ(answered_["a"].size(), before);
  EXPECT_EQ(told_, told);
}

TEST_F(PacerTest, OneTenantHoldsNoMoreThanAFew) {
  for (int i = 0; i < 200; ++i) call("a", i);
  EXPECT_GE(told_, 200 - 5 - static_cast<int>(Pacer::kHeldOfTenant))
      << "four answered, one refused";
}

TEST_F(PacerTest, ALimitThatIsNotMetAnyMoreIsForgotten) {
  pacer_.refused("m", 0, 1'000);
  timers_.move_to(200'000);
  for (int i = 0; i < 4; ++i) call("a", i);
  EXPECT_EQ(answered_["a"].size(), 4u);
}

}  // namespace
}  // namespace perdure::runtime
