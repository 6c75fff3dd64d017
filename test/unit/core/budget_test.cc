// Budgets: reserved before each call, settled after, and a person is asked once when one is at its
// end.
#include "support.h"

namespace perdure::test {
namespace {

constexpr InterruptReason kBudget = InterruptReason::kBudgetReached;

CallAction costing(const StepId& step, MicroUsd cost, Contract terms = {}) {
  CallAction call = tool(step, terms);
  call.reserve.cost_micro_usd = cost;
  return call;
}

Usage money(MicroUsd cost) {
  return {.cost_micro_usd = cost};
}

TEST(Budget, IsReservedBeforeAndSettledAfter) {
  struct Case {
    Outcome outcome;
    std::optional<Usage> used;
    MicroUsd spent;
  };
  const Case kTable[] = {
      {Outcome::kSucceeded, money(30), 30},
      {Outcome::kSucceeded, money(120), 120},  // the estimate's error
      {Outcome::kSucceeded, std::nullopt, 100},
      {Outcome::kFailed, money(0), 0},
      {Outcome::kFailed, std::nullopt, 100},
      {Outcome::kInDoubt, std::nullopt, 100},
      {Outcome::kNotSent, std::nullopt, 0},
      {Outcome::kDeferred, std::nullopt, 0},
      {Outcome::kDeferred, money(5), 5},
      {Outcome::kSucceeded, money(-50), 0},  // nobody earns by calling
  };
  for (const Case& c : kTable) {
    Driver driver(Limits{.cost_micro_usd = 1'000});
    driver.answer({costing("a", 100)});
    EXPECT_EQ(driver.state().reserved.cost_micro_usd, 100);
    EXPECT_EQ(driver.state().spent.cost_micro_usd, 0);
    driver.settle_using("a", c.outcome, c.used);
    EXPECT_EQ(driver.state().reserved.cost_micro_usd, 0);
    EXPECT_EQ(driver.state().spent.cost_micro_usd, c.spent) << to_string(c.outcome);
  }
}

TEST(Budget, TheLastCallThatFitsIsSent) {
  Driver driver(Limits{.cost_micro_usd = 200});
  driver.answer({costing("a", 100), costing("b", 100), costing("c", 1)});
  EXPECT_EQ(driver.step("b"), "intent");
  EXPECT_EQ(driver.step("c"), "ready");
  EXPECT_NE(driver.question(kBudget), 0u);
}

TEST(Budget, EachKindIsLimitedByItself) {
  struct Case {
    Limits limits;
    CallAction call;
    bool sent;
  };
  const Case kTable[] = {
      {{.model_calls = 0}, model("a"), false},  {{.model_calls = 0}, tool("a"), true},
      {{.model_calls = 1}, model("a"), true},   {{.tool_calls = 0}, tool("a"), false},
      {{.tool_calls = 0}, model("a", 5), true}, {{.cost_micro_usd = 0}, model("a", 5), false},
      {{.cost_micro_usd = 0}, tool("a"), true}, {{}, costing("a", 1'000'000'000), true}};
  for (const Case& c : kTable) {
    Driver driver(c.limits);
    driver.answer({c.call});
    EXPECT_EQ(driver.step("a"), c.sent ? "intent" : "ready");
    EXPECT_EQ(driver.questions(), c.sent ? 0u : 1u);
  }
}

TEST(Budget, ParallelLanesShareItAndOneQuestion) {
  Driver driver(Limits{.cost_micro_usd = 250});
  driver.answer({costing("a", 100), costing("b", 100), costing("c", 100), costing("d", 100)});
  EXPECT_EQ(driver.sends().size(), 2u);
  EXPECT_EQ(driver.questions(), 1u);
  EXPECT_EQ(driver.status(), TaskStatus::kInputRequired);
  driver.decide(driver.question(kBudget), Decision::kApprove, money(50));
  EXPECT_EQ(driver.step("c"), "intent");
  EXPECT_EQ(driver.step("d"), "ready");
  EXPECT_EQ(driver.questions(), 1u) << "asked anew for the next";
}

TEST(Budget, AnAdditionThatIsTooSmallIsRefused) {
  Driver driver(Limits{.cost_micro_usd = 50});
  driver.answer({costing("a", 100)});
  const Seq asked = driver.question(kBudget);
  for (const MicroUsd add : {0, 49, -100}) {
    const auto applied = driver.decide(asked, Decision::kApprove, money(add));
    ASSERT_FALSE(applied.reply) << add;
    EXPECT_EQ(applied.reply.error().code, Code::kInvalid);
    EXPECT_TRUE(applied.records.empty());
  }
  EXPECT_TRUE(driver.decide(asked, Decision::kApprove, money(50)).reply);
  EXPECT_EQ(driver.step("a"), "intent");
  EXPECT_EQ(driver.state().limits.cost_micro_usd, 100);
}

TEST(Budget, NothingIsTakenAwayWhileSomethingElseIsAdded) {
  Driver driver(Limits{.cost_micro_usd = 50, .tool_calls = 10});
  driver.answer({costing("a", 100)});
  const auto applied = driver.decide(driver.question(kBudget), Decision::kApprove,
                                     Usage{.cost_micro_usd = 50, .tool_calls = -9});
  EXPECT_FALSE(applied.reply);
  EXPECT_EQ(driver.state().limits.tool_calls, 10);
}

TEST(Budget, RejectedEndsTheTaskAsFailed) {
  Driver driver(Limits{.cost_micro_usd = 150});
  driver.answer({costing("a", 100), costing("b", 100)});
  driver.decide(driver.question(kBudget), Decision::kReject);
  EXPECT_EQ(driver.step("b"), "denied");
  EXPECT_EQ(driver.status(), TaskStatus::kWorking) << "a was sent";
  driver.settle("a", Outcome::kSucceeded);
  EXPECT_EQ(driver.status(), TaskStatus::kFailed);
  EXPECT_EQ(driver.state().ended->stop_reason, StopReason::kBudget);
}

// Another lane used less than it reserved: the waiting call goes out, and nobody is asked any more.
TEST(Budget, AQuestionThatHasLostItsPointIsWithdrawn) {
  Driver driver(Limits{.cost_micro_usd = 150});
  driver.answer({costing("a", 100), costing("b", 100)},
                {.await = all_of({step_is_done("a"), step_is_done("b")})});
  const Seq asked = driver.question(kBudget);
  driver.settle_using("a", Outcome::kSucceeded, money(10));
  EXPECT_EQ(driver.step("b"), "intent");
  EXPECT_EQ(driver.questions(), 0u);
  EXPECT_EQ(driver.status(), TaskStatus::kWorking);
  EXPECT_EQ(driver.decide(asked, Decision::kReject).reply.error().code, Code::kConflict);
  driver.settle("b", Outcome::kSucceeded);
  driver.answer({CompleteAction{}});
  EXPECT_EQ(driver.status(), TaskStatus::kCompleted);
}

TEST(Budget, TheNextLaneIsAskedAboutWhenTheFirstNoLongerWaits) {
  Driver driver(Limits{.cost_micro_usd = 150});
  driver.answer({costing("a", 100), costing("b", 60), costing("c", 140)});
  EXPECT_EQ(driver.state().interrupts.at(driver.question(kBudget)).step, "b");
  driver.settle_using("a", Outcome::kSucceeded, money(80));
  EXPECT_EQ(driver.step("b"), "intent");
  EXPECT_EQ(driver.state().interrupts.at(driver.question(kBudget)).step, "c");
}

TEST(Budget, AResendReservesAgain) {
  Driver driver(Limits{.cost_micro_usd = 150});
  driver.answer({costing("a", 100, contract(EffectClass::kRead, 3))});
  driver.settle("a", Outcome::kInDoubt);
  EXPECT_EQ(driver.state().spent.cost_micro_usd, 100) << "it may have been billed";
  driver.fire_retry("a");
  EXPECT_EQ(driver.step("a"), "in_doubt");
  driver.decide(driver.question(kBudget), Decision::kApprove, money(50));
  EXPECT_EQ(driver.step("a"), "intent");
  EXPECT_EQ(driver.sends_of("a"), 2u);
}

// While the budget is asked about, the key expires: now a person must say whether it happened.
TEST(Budget, AQuestionAboutAResendGivesWayToTheDoubt) {
  Driver driver(Limits{.cost_micro_usd = 150});
  driver.answer({costing("a", 100, idempotent()), timer("later", 3'600'000)});
  driver.settle("a", Outcome::kInDoubt);
  driver.fire_retry("a");
  ASSERT_NE(driver.question(kBudget), 0u);
  driver.fire("later");
  EXPECT_EQ(driver.step("a"), "needs_human");
  EXPECT_EQ(driver.questions(), 1u);
  driver.decide(driver.question(InterruptReason::kUncertainOutcome), Decision::kDismiss);
  driver.answer({CompleteAction{}});
  EXPECT_EQ(driver.status(), TaskStatus::kCompleted);
}

TEST(Budget, EveryEndWithdrawsTheQuestion) {
  Driver driver(Limits{.cost_micro_usd = 150});
  driver.answer({costing("a", 100), costing("b", 100)});
  const Seq asked = driver.question(kBudget);
  driver.cancel();
  EXPECT_EQ(driver.questions(), 0u);
  EXPECT_FALSE(driver.decide(asked, Decision::kReject).reply);
  driver.settle("a", Outcome::kSucceeded);
  EXPECT_EQ(driver.status(), TaskStatus::kCancelled);
}

TEST(Budget, HugeNumbersDoNotWrapAround) {
  Driver driver(Limits{.cost_micro_usd = INT64_MAX - 1});
  driver.answer({costing("a", 100), costing("b", 100)});
  driver.settle_using("a", Outcome::kSucceeded, money(INT64_MAX));
  driver.settle_using("b", Outcome::kSucceeded,
                      Usage{.cost_micro_usd = INT64_MAX,
                            .model_calls = INT64_MAX,
                            .tool_calls = INT64_MAX,
                            .input_tokens = INT64_MAX,
                            .output_tokens = INT64_MAX});
  EXPECT_GT(driver.state().spent.cost_micro_usd, 0);
  driver.answer({costing("c", 100)});
  EXPECT_EQ(driver.step("c"), "ready") << "the budget is spent";
  driver.decide(driver.question(kBudget), Decision::kApprove, money(INT64_MAX));
  EXPECT_GT(driver.state().limits.cost_micro_usd, 0);
}

TEST(Budget, ALimitBelowNothingIsNothing) {
  Driver driver(Limits{.cost_micro_usd = -5, .turns = -7});
  driver.answer({costing("a", 1)});
  const Seq asked = driver.question(kBudget);
  ASSERT_NE(asked, 0u);
  EXPECT_TRUE(driver.decide(asked, Decision::kApprove, money(4)).reply);
  EXPECT_EQ(driver.state().limits.cost_micro_usd, 4) << "not -1, which means no limit";
}

}  // namespace
}  // namespace perdure::test
