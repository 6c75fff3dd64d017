// The same wish again: an equal call of a model that was told "timeout" is asked about, not sent.
#include "support.h"

namespace perdure::test {
namespace {

constexpr InterruptReason kDuplicate = InterruptReason::kPossibleDuplicate;

// Brings step "first" (an acting call of the wish "refund 42") into a state.
struct Earlier {
  std::string state;
  void (*reach)(Driver&);
  bool asked;                // about an equal call
  bool asked_if_may_repeat;  // where the tool allows repeats
};

void first(Driver& driver, Contract contract = {}, Verdict verdict = Verdict::kAllow) {
  driver.propose({wish("first", "refund 42", contract, verdict), timer("tick", 1)});
}

const Earlier kEarlier[] = {
    {"awaiting_approval", [](Driver& d) { first(d, {}, Verdict::kAsk); }, true, true},
    {"ready",
     [](Driver& d) {
       CallAction call = wish("first", "refund 42");
       call.reserve.cost_micro_usd = 1'000;
       d.propose({call, timer("tick", 1)});
     },
     true, true},
    {"intent", [](Driver& d) { first(d); }, true, true},
    {"not_sent",
     [](Driver& d) {
       first(d, contract(EffectClass::kOnce, 3));
       d.settle("first", Outcome::kNotSent);
     },
     true, true},
    {"deferred",
     [](Driver& d) {
       first(d, contract(EffectClass::kOnce, 3));
       d.settle("first", Outcome::kDeferred);
     },
     true, true},
    {"in_doubt",
     [](Driver& d) {
       first(d, idempotent());
       d.settle("first", Outcome::kInDoubt);
     },
     true, true},
    {"needs_human",
     [](Driver& d) {
       first(d);
       d.settle("first", Outcome::kInDoubt);
     },
     true, true},
    {"unknown",
     [](Driver& d) {
       first(d, contract(EffectClass::kOnce, 1, OnDoubt::kError));
       d.settle("first", Outcome::kInDoubt);
     },
     true, true},
    {"succeeded",
     [](Driver& d) {
       first(d);
       d.settle("first", Outcome::kSucceeded);
     },
     true, false},
    {"failed",
     [](Driver& d) {
       first(d);
       d.settle("first", Outcome::kFailed);
     },
     false, false},
    {"denied", [](Driver& d) { first(d, {}, Verdict::kDeny); }, false, false},
};

TEST(Duplicate, IsAskedAboutWhileTheEarlierCallStands) {
  for (const Earlier& c : kEarlier) {
    for (const bool may_repeat : {false, true}) {
      Driver driver(Limits{.cost_micro_usd = 100});
      c.reach(driver);
      ASSERT_EQ(driver.step("first"), c.state);
      if (!driver.plan_is_open()) driver.fire("tick");
      Contract terms;
      terms.repeat_allowed = may_repeat;
      driver.propose({wish("again", "refund 42", terms), wish("other", "refund 43", terms)});
      const bool asked = may_repeat ? c.asked_if_may_repeat : c.asked;
      EXPECT_EQ(driver.question(kDuplicate) != 0, asked) << c.state;
      EXPECT_EQ(driver.step("again"), asked ? "awaiting_approval" : "intent") << c.state;
      EXPECT_EQ(driver.step("other"), "intent") << "another wish";
    }
  }
}

TEST(Duplicate, OfTheSameTurnIsAskedAbout) {
  Driver driver;
  driver.propose({wish("a", "w"), wish("b", "w"), wish("c", "w")});
  EXPECT_EQ(driver.step("a"), "intent");
  EXPECT_EQ(driver.step("b"), "awaiting_approval");
  EXPECT_EQ(driver.step("c"), "awaiting_approval");
  EXPECT_EQ(driver.questions(), 2u);
}

TEST(Duplicate, OfAWorkflowIsItsOwnBusiness) {
  Driver driver;
  driver.answer({wish("a", "w"), wish("b", "w")});
  EXPECT_EQ(driver.step("b"), "intent");
}

TEST(Duplicate, ReadsAndRepeatsAreNotAskedAbout) {
  for (const EffectClass effect : {EffectClass::kRead, EffectClass::kRepeat}) {
    Driver driver;
    driver.propose({wish("a", "w", contract(effect)), wish("b", "w", contract(effect))});
    EXPECT_EQ(driver.step("b"), "intent");
  }
}

TEST(Duplicate, ADeniedOneIsDeniedWithoutAQuestion) {
  Driver driver;
  driver.propose({wish("a", "w"), wish("b", "w", {}, Verdict::kDeny)});
  EXPECT_EQ(driver.step("b"), "denied");
  EXPECT_EQ(driver.questions(), 0u);
}

TEST(Duplicate, ApprovedIsANewEffectWithItsOwnKey) {
  Driver driver;
  driver.propose({wish("a", "w"), wish("b", "w", {}, Verdict::kAsk)});
  EXPECT_EQ(driver.questions(), 1u) << "one question, though policy asks as well";
  driver.decide(driver.question(kDuplicate), Decision::kApprove);
  EXPECT_EQ(driver.step("b"), "intent");
  EXPECT_NE(driver.last<StepIntended>().decision_seq, 0u);
  EXPECT_EQ(driver.sends().back().step, "b") << "the key is of the step";
  driver.settle("a", Outcome::kSucceeded);
  driver.propose({wish("c", "w")});
  EXPECT_EQ(driver.step("c"), "awaiting_approval") << "not remembered";
}

TEST(Duplicate, RememberedIsNotAskedAboutAgain) {
  Driver driver;
  driver.propose({wish("a", "w"), wish("b", "w")});
  driver.decide(driver.question(kDuplicate), Decision::kApprove, {}, true);
  driver.settle("a", Outcome::kSucceeded);
  driver.propose(
      {wish("c", "w"), wish("d", "other"), wish("e", "other"), wish("f", "w", {}, Verdict::kAsk)});
  EXPECT_EQ(driver.step("c"), "intent");
  EXPECT_EQ(driver.step("e"), "awaiting_approval") << "another wish";
  EXPECT_NE(driver.question(InterruptReason::kToolApproval), 0u)
      << "remembered is the duplicate, not the policy";
}

TEST(Duplicate, RejectedGetsTheOutcomeOfTheCallThatStands) {
  Driver driver;
  driver.propose({wish("a", "w")});
  driver.settle("a", Outcome::kFailed);
  driver.propose({wish("b", "w")});
  driver.settle("b", Outcome::kSucceeded);
  driver.propose({wish("c", "w"), wish("d", "w")});
  const Seq about_c = driver.state().open.at("c").interrupt_seq;
  EXPECT_NE(driver.state().interrupts.at(about_c).message.find("step b"), std::string::npos);
  driver.decide(about_c, Decision::kReject);
  EXPECT_EQ(driver.step("c"), "denied");
  EXPECT_EQ(driver.last<StepClosed>().same_as, "b") << "not the one that failed";
  driver.decide(driver.state().open.at("d").interrupt_seq, Decision::kReject);
  EXPECT_EQ(driver.last<StepClosed>().same_as, "b") << "not the one that was denied";
}

TEST(Duplicate, RejectedNeverPointsAtALaterCall) {
  Driver driver;
  driver.propose({wish("a", "w", {}, Verdict::kAsk), wish("b", "w"), wish("c", "w")});
  driver.decide(driver.question(InterruptReason::kToolApproval), Decision::kReject);
  driver.decide(driver.state().open.at("b").interrupt_seq, Decision::kReject);
  EXPECT_EQ(driver.last<StepClosed>().same_as, "") << "nothing equal has an outcome";
  driver.decide(driver.state().open.at("c").interrupt_seq, Decision::kApprove);
  EXPECT_EQ(driver.step("c"), "intent");
}

TEST(Duplicate, RejectedAfterTheEarlierFailedGetsThatFailure) {
  Driver driver;
  driver.propose({wish("a", "w"), wish("b", "w")});
  driver.settle("a", Outcome::kFailed);
  driver.decide(driver.state().open.at("b").interrupt_seq, Decision::kReject);
  EXPECT_EQ(driver.last<StepClosed>().same_as, "a");
}

TEST(Duplicate, WishesSurviveARestart) {
  Driver driver;
  driver.propose({wish("a", "w")});
  driver.settle("a", Outcome::kSucceeded);
  driver.restart();
  driver.propose({wish("b", "w")});
  EXPECT_NE(driver.question(kDuplicate), 0u);
}

}  // namespace
}  // namespace perdure::test
