#include "engine/call_tally.h"

#include <gtest/gtest.h>

namespace perdure::engine {
namespace {

SettleStep outcome(Outcome what, FailureClass failure, std::optional<Usage> used = {}) {
  SettleStep settle;
  settle.outcome = what;
  settle.failure = failure;
  settle.used = used;
  return settle;
}

TEST(CallTally, CountsByNameAndOutcome) {
  CallTally tally;
  const Usage used{.cost_micro_usd = 30, .model_calls = 1, .input_tokens = 10, .output_tokens = 2};
  tally.add(CallKind::kModel, "m", outcome(Outcome::kSucceeded, FailureClass::kNone, used), 5);
  tally.add(CallKind::kModel, "m", outcome(Outcome::kSucceeded, FailureClass::kNone, used), 5);
  tally.add(CallKind::kModel, "m", outcome(Outcome::kInDoubt, FailureClass::kAmbiguous), 5);
  tally.add(CallKind::kTool, "m", outcome(Outcome::kFailed, FailureClass::kInvalid, used), 2'000);
  const CallTally::Outcomes expected = {
      {{CallKind::kModel, "m", Outcome::kSucceeded, FailureClass::kNone}, 2},
      {{CallKind::kModel, "m", Outcome::kInDoubt, FailureClass::kAmbiguous}, 1},
      {{CallKind::kTool, "m", Outcome::kFailed, FailureClass::kInvalid}, 1}};
  EXPECT_EQ(tally.outcomes(), expected);
  ASSERT_EQ(tally.used().size(), 1u) << "a tool reads no tokens";
  EXPECT_EQ(tally.used().at("m").input_tokens, 20);
  EXPECT_EQ(tally.used().at("m").cost_micro_usd, 60);
  EXPECT_EQ(tally.took(CallKind::kModel).count(0), 3u);
  EXPECT_EQ(tally.took(CallKind::kTool).count(1), 1u);
  EXPECT_EQ(tally.took(CallKind::kTool).sum_us(), 2'000u);
}

TEST(CallTally, EverNewNamesAreOne) {
  CallTally tally;
  for (size_t i = 0; i < 10 * CallTally::kNamesMax; ++i) {
    tally.add(CallKind::kTool, "t" + std::to_string(i),
              outcome(Outcome::kFailed, FailureClass::kInvalid), 1);
  }
  const auto outcomes = tally.outcomes();
  EXPECT_EQ(outcomes.size(), CallTally::kNamesMax + 1);
  EXPECT_EQ(outcomes.at({CallKind::kTool, "(other)", Outcome::kFailed, FailureClass::kInvalid}),
            9 * CallTally::kNamesMax);
}

TEST(Histogram, CountsWhatLiesAboveAllBounds) {
  Histogram histogram;
  histogram.add(-5);
  histogram.add(Histogram::kBoundsUs[0]);
  histogram.add(Histogram::kBoundsUs.back() + 1);
  EXPECT_EQ(histogram.count(0), 2u);
  EXPECT_EQ(histogram.count(Histogram::kBoundsUs.size()), 1u);
}

}  // namespace
}  // namespace perdure::engine
