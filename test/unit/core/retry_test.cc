// How long a step waits that is to be sent again.
#include <set>

#include "support.h"

namespace perdure::test {
namespace {

using enum Outcome;

// The wait of a model's step in a task of its own, after `held` times that it was held back.
int64_t wait_ms_of(uint64_t task, int held, int64_t retry_after_ms) {
  CallAction call = model("m", 100);
  call.contract.effect = EffectClass::kRepeat;
  call.contract.max_attempts = 5;
  call.contract.backoff_ms = 100;
  call.contract.backoff_max_ms = 60'000;
  call.step = "m" + std::to_string(task);
  Driver driver;
  driver.answer({call});
  for (int i = 0; i < held; ++i) {
    driver.settle(call.step, kNotSent, FailureClass::kRateLimit, retry_after_ms);
    driver.fire_retry(call.step);
  }
  driver.settle(call.step, kNotSent, FailureClass::kRateLimit, retry_after_ms);
  return driver.last<TimerSet>().due_ms - driver.now_ms();
}

TEST(Retry, SiblingsThatWaitTogetherDoNotComeBackTogether) {
  std::set<int64_t> waits;
  for (uint64_t task = 0; task < 40; ++task) waits.insert(wait_ms_of(task, 0, 8'000));
  EXPECT_GE(*waits.begin(), 8'000) << "as long as they were told";
  EXPECT_LE(*waits.rbegin(), 12'000);
  EXPECT_GT(*waits.rbegin() - *waits.begin(), 2'000);
  EXPECT_GT(waits.size(), 30u);
}

TEST(Retry, BeingHeldBackHardlyLengthensTheWait) {
  for (uint64_t task = 0; task < 40; ++task) {
    EXPECT_LE(wait_ms_of(task, 6, 0), 100) << "nothing failed";
    EXPECT_LE(wait_ms_of(task, 30, 1), 1 + 800);
  }
}

// How often a model is asked that ends in doubt so, the last way again and again, where 20 attempts
// are allowed unless it is said otherwise.
uint32_t attempts_with(std::vector<FailureClass> failures, CallKind kind = CallKind::kModel,
                       uint32_t max_attempts = 20) {
  CallAction call = model("m", 100);
  call.kind = kind;
  call.contract.effect = EffectClass::kRepeat;
  call.contract.max_attempts = max_attempts;
  Driver driver;
  driver.answer({call});
  uint32_t attempts = 0;
  while (driver.state().open.contains("m")) {
    ++attempts;
    driver.settle("m", kInDoubt, failures.front());
    if (failures.size() > 1) failures.erase(failures.begin());
    if (driver.state().open.contains("m")) driver.fire_retry("m");
  }
  return attempts;
}

TEST(Retry, ThePatienceForAModelHasAnEndWhereAnswersArePaidFor) {
  EXPECT_EQ(attempts_with({FailureClass::kTransient}), 20u);
  EXPECT_EQ(attempts_with({FailureClass::kAmbiguous}), 5u);
  EXPECT_EQ(attempts_with({FailureClass::kAmbiguous}, CallKind::kModel, 400), 100u);
  EXPECT_EQ(attempts_with({FailureClass::kAmbiguous}, CallKind::kModel, 3), 3u);
  EXPECT_EQ(attempts_with({FailureClass::kRateLimit}), 5u) << "behind a part of the answer";
  EXPECT_EQ(attempts_with({FailureClass::kMalformedOutput}), 2u);
  EXPECT_EQ(attempts_with({FailureClass::kAmbiguous, FailureClass::kMalformedOutput}), 3u)
      << "a crash takes no second try from an answer that cannot be read";
  EXPECT_EQ(attempts_with({FailureClass::kAmbiguous}, CallKind::kTool), 20u)
      << "as its contract says";
}

}  // namespace
}  // namespace perdure::test
