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

TEST(Decision, AnEditedCallIsSentWithTheNewArgumentsUnderItsOwnKey) {
  Driver driver;
  driver.answer({tool("a", contract(EffectClass::kOnce, 3), Verdict::kAsk)});
  const Seq asked = driver.question(InterruptReason::kToolApproval);
  EXPECT_TRUE(driver.give(asked, Decision::kEdit, R"({"amount":5})").reply);
  EXPECT_EQ(driver.step("a"), "intent");
  const Payload edited = Payload::of(R"({"amount":5})");
  EXPECT_EQ(driver.sends().back().args.view(), edited.view());
  EXPECT_EQ(driver.last<StepIntended>().args_hash, edited.hash);
  EXPECT_EQ(driver.last<StepIntended>().group, 1u);
  EXPECT_NE(driver.last<StepIntended>().decision_seq, 0u);
  EXPECT_TRUE(driver.give(asked, Decision::kEdit, R"({"amount":5})").reply->repeated);
  EXPECT_EQ(driver.give(asked, Decision::kEdit, R"({"amount":6})").reply.error().code,
            Code::kConflict);
  driver.settle("a", kNotSent);
  driver.restart();
  driver.fire_retry("a");
  EXPECT_EQ(driver.sends().back().args.view(), edited.view()) << "and again after a restart";
  EXPECT_EQ(driver.last<StepPlanned>().args.view(), R"({"step":"a"})") << "the model's call stays";
}

TEST(Decision, AnEditThatEqualsAnotherCallIsAskedAbout) {
  Driver driver;
  driver.propose({wish("a", "order 1"), wish("b", "order 2", {}, Verdict::kAsk)});
  driver.settle("a", kSucceeded);
  driver.give(driver.question(InterruptReason::kToolApproval), Decision::kEdit, "{}", "order 1");
  EXPECT_EQ(driver.step("b"), "awaiting_approval");
  EXPECT_EQ(driver.sends_of("b"), 0u);
  const Seq again = driver.question(InterruptReason::kPossibleDuplicate);
  ASSERT_NE(again, 0u);
  driver.decide(again, Decision::kApprove);
  EXPECT_EQ(driver.step("b"), "intent");
}

TEST(Decision, AnEditTakesItsOldWishAway) {
  Driver driver;
  driver.propose({wish("a", "order 1", {}, Verdict::kAsk), wish("z", "no matter")});
  driver.give(driver.question(InterruptReason::kToolApproval), Decision::kEdit, "{}", "order 2");
  driver.settle("z", kSucceeded);
  driver.propose({wish("b", "order 1"), wish("c", "order 2")});
  EXPECT_EQ(driver.step("b"), "intent");
  EXPECT_EQ(driver.step("c"), "awaiting_approval");
}

TEST(Decision, ADuplicateMayBeEditedIntoAnotherCall) {
  Driver driver;
  driver.propose({wish("a", "order 1"), wish("b", "order 1")});
  const Seq asked = driver.question(InterruptReason::kPossibleDuplicate);
  driver.give(asked, Decision::kEdit, "{}", "order 2");
  EXPECT_EQ(driver.step("b"), "intent");
}

TEST(Decision, AResponseIsTheResultAndNothingIsSent) {
  Driver driver;
  driver.propose({wish("a", "order 1", {}, Verdict::kAsk)});
  driver.give(driver.question(InterruptReason::kToolApproval), Decision::kRespond, R"("paid")");
  EXPECT_EQ(driver.step("a"), "succeeded");
  EXPECT_EQ(driver.sends().size(), 0u);
  EXPECT_TRUE(driver.plan_is_open());
  driver.propose({wish("b", "order 1")});
  EXPECT_EQ(driver.step("b"), "awaiting_approval") << "somebody has seen to it already";
}

TEST(Decision, WhatIsGivenFitsTheDecision) {
  Driver driver;
  driver.answer({tool("a", {}, Verdict::kAsk)});
  const Seq asked = driver.question(InterruptReason::kToolApproval);
  for (const Decision decision : {Decision::kEdit, Decision::kRespond}) {
    EXPECT_EQ(driver.decide(asked, decision).reply.error().code, Code::kInvalid);
  }
  EXPECT_EQ(driver.give(asked, Decision::kApprove, "1").reply.error().code, Code::kInvalid);
  EXPECT_EQ(driver.give(asked, Decision::kHappened, "1").reply.error().code, Code::kInvalid);
}

TEST(Decision, ParallelCallsAreDecidedOneByOne) {
  Driver driver;
  driver.answer(
      {tool("a", {}, Verdict::kAsk), tool("b", {}, Verdict::kAsk), tool("c", {}, Verdict::kAsk)});
  std::vector<Seq> asked;
  for (const auto& [seq, interrupt] : driver.state().interrupts) asked.push_back(seq);
  ASSERT_EQ(asked.size(), 3u);
  driver.decide(asked[2], Decision::kApprove);
  EXPECT_EQ(driver.step("c"), "intent");
  EXPECT_EQ(driver.step("a"), "awaiting_approval");
  driver.decide(asked[0], Decision::kReject);
  EXPECT_EQ(driver.step("a"), "denied");
  EXPECT_EQ(driver.step("b"), "awaiting_approval");
}

}  // namespace
}  // namespace perdure::test
