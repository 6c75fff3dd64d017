// Decisions of people: bound to what was asked, used once, and the first one wins.
#include "support.h"

namespace perdure::test {
namespace {

using enum Outcome;

TEST(Decision, ApprovalIsForTheArgumentsThatWereSeen) {
  Driver driver;
  driver.answer({tool("a", {}, Verdict::kAsk)});
  Resolve resolve;
  resolve.interrupt_seq = driver.question(InterruptReason::kToolApproval);
  resolve.args_hash = sha256("other");
  EXPECT_EQ(driver.apply(resolve).reply.error().code, Code::kConflict);
  resolve.args_hash = driver.state().open.at("a").args.hash;
  EXPECT_TRUE(driver.apply(resolve).reply);
  EXPECT_EQ(driver.step("a"), "intent");
}

TEST(Decision, TheFirstDecisionWinsAndItsRepeatIsAcknowledged) {
  Driver driver;
  driver.answer({tool("a", {}, Verdict::kAsk)});
  const Seq asked = driver.question(InterruptReason::kToolApproval);
  EXPECT_FALSE(driver.decide(asked, Decision::kApprove).reply->repeated);
  const auto again = driver.decide(asked, Decision::kApprove);
  EXPECT_TRUE(again.reply->repeated);
  EXPECT_TRUE(again.records.empty());
  EXPECT_EQ(driver.decide(asked, Decision::kReject).reply.error().code, Code::kConflict);
  EXPECT_EQ(driver.decide(999, Decision::kReject).reply.error().code, Code::kNotFound);
  EXPECT_EQ(driver.sends_of("a"), 1u);
}

TEST(Decision, AnApprovalIsConsumedByTheFirstSend) {
  Driver driver;
  driver.answer({tool("a", contract(EffectClass::kOnce, 3), Verdict::kAsk)});
  driver.decide(driver.question(InterruptReason::kToolApproval), Decision::kApprove);
  const auto first = driver.last<StepIntended>();
  EXPECT_NE(first.decision_seq, 0u);
  driver.settle("a", kNotSent);
  driver.fire_retry("a");
  EXPECT_EQ(driver.last<StepIntended>().attempt, 2u);
  EXPECT_EQ(driver.last<StepIntended>().decision_seq, 0u);
}

TEST(Decision, ARejectedCallIsDeniedAndNeverSent) {
  Driver driver;
  driver.answer({tool("a", {}, Verdict::kAsk)});
  driver.decide(driver.question(InterruptReason::kToolApproval), Decision::kReject);
  EXPECT_EQ(driver.step("a"), "denied");
  EXPECT_EQ(driver.sends().size(), 0u);
  EXPECT_TRUE(driver.plan_is_open());
}

// What a decision carries must fit its question, or it would be kept and have no effect, or the
// wrong one.
TEST(Decision, AnApprovalNeitherRaisesTheBudgetNorRemembers) {
  Driver driver(Limits{.tool_calls = 5});
  driver.answer({tool("a", {}, Verdict::kAsk)});
  const Seq asked = driver.question(InterruptReason::kToolApproval);
  EXPECT_EQ(driver.decide(asked, Decision::kApprove, Usage{.tool_calls = 10}).reply.error().code,
            Code::kInvalid);
  EXPECT_EQ(driver.decide(asked, Decision::kApprove, {}, true).reply.error().code, Code::kInvalid);
  EXPECT_TRUE(driver.decide(asked, Decision::kApprove).reply);
  EXPECT_EQ(driver.state().limits.tool_calls, 5);
}

}  // namespace
}  // namespace perdure::test
