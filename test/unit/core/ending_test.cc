// Ends: complete, fail, cancel. A terminal state is reached once, after every doubt, and never
// changes.
#include <functional>

#include "fakes/part_of_payload.h"
#include "support.h"

namespace perdure::test {
namespace {

// A step "a" in each state it can stand in, and what a cancel makes of it at once.
struct Standing {
  std::string state;
  std::function<void(Driver&)> reach;
  std::string after_cancel;
};

std::vector<Standing> standings() {
  const auto start = [](CallAction call) {
    return [call](Driver& d) { d.answer({call, timer("t", 5)}); };
  };
  const auto settled = [start](Contract terms, Outcome outcome,
                               FailureClass failure = FailureClass::kNone) {
    return [=](Driver& d) {
      start(tool("a", terms))(d);
      d.settle("a", outcome, failure);
    };
  };
  CallAction dear = tool("a");
  dear.reserve.cost_micro_usd = 1'000;
  return {
      {"awaiting_approval", start(tool("a", {}, Verdict::kAsk)), "denied"},
      {"ready", start(dear), "denied"},
      {"intent", start(tool("a")), "intent"},
      {"intent", start(tool("a", contract(EffectClass::kRead))), "intent"},
      {"not_sent", settled(idempotent(), Outcome::kNotSent), "denied"},
      {"deferred", settled(idempotent(), Outcome::kDeferred), "failed"},
      {"deferred", settled(idempotent(), Outcome::kDeferred, FailureClass::kAmbiguous),
       "needs_human"},
      {"in_doubt", settled(idempotent(), Outcome::kInDoubt), "needs_human"},
      {"in_doubt", settled(idempotent(3, OnDoubt::kError), Outcome::kInDoubt), "unknown"},
      {"in_doubt", settled(contract(EffectClass::kRead, 3), Outcome::kInDoubt), "failed"},
      {"needs_human", settled({}, Outcome::kInDoubt), "needs_human"},
      {"succeeded", settled({}, Outcome::kSucceeded), "succeeded"},
      {"failed", settled({}, Outcome::kFailed), "failed"},
      {"unknown", settled(contract(EffectClass::kOnce, 1, OnDoubt::kError), Outcome::kInDoubt),
       "unknown"},
  };
}

TEST(Cancel, InEveryState) {
  for (const Standing& c : standings()) {
    Driver driver(Limits{.cost_micro_usd = 100});
    c.reach(driver);
    ASSERT_EQ(driver.step("a"), c.state);
    const size_t sends = driver.sends().size();
    EXPECT_TRUE(driver.cancel().reply);
    EXPECT_EQ(driver.step("a"), c.after_cancel) << "from " << c.state;
    EXPECT_EQ(driver.sends().size(), sends) << "nothing is sent any more";
    EXPECT_TRUE(driver.state().timers.empty());
    EXPECT_FALSE(driver.plan_is_open());
    const bool waits = c.after_cancel == "intent" || c.after_cancel == "needs_human";
    EXPECT_EQ(driver.status(), waits ? TaskStatus::kWorking : TaskStatus::kCancelled) << c.state;
    if (waits) EXPECT_EQ(core::phase_of(driver.state()), Phase::kCancelling);
    EXPECT_TRUE(driver.cancel().reply->repeated);
    EXPECT_EQ(driver.count<CancelRequested>(), 1u);
    if (c.after_cancel == "intent") driver.settle("a", Outcome::kSucceeded);
    if (c.after_cancel == "needs_human") {
      driver.decide(driver.question(InterruptReason::kUncertainOutcome), Decision::kDismiss);
      EXPECT_EQ(driver.step("a"), "unknown");
    }
    EXPECT_EQ(driver.status(), TaskStatus::kCancelled) << c.state;
    EXPECT_EQ(driver.count<TaskEnded>(), 1u);
  }
}

TEST(Cancel, WaitsForEveryOutcomeOfWhatWasSent) {
  struct Case {
    EffectClass effect;
    Outcome outcome;
    std::string state;
  };
  const Case kTable[] = {
      {EffectClass::kRead, Outcome::kInDoubt, "failed"},
      {EffectClass::kRead, Outcome::kNotSent, "denied"},
      {EffectClass::kIdempotent, Outcome::kInDoubt, "needs_human"},
      {EffectClass::kIdempotent, Outcome::kDeferred, "failed"},
      {EffectClass::kOnce, Outcome::kNotSent, "denied"},
      {EffectClass::kOnce, Outcome::kInDoubt, "needs_human"},
      {EffectClass::kOnce, Outcome::kSucceeded, "succeeded"},
  };
  for (const Case& c : kTable) {
    Contract terms = idempotent(5);
    terms.effect = c.effect;
    Driver driver;
    driver.answer({tool("a", terms), tool("b")});
    driver.cancel();
    EXPECT_EQ(core::phase_of(driver.state()), Phase::kCancelling);
    driver.settle("a", c.outcome);
    EXPECT_EQ(driver.step("a"), c.state) << to_string(c.effect) << " " << to_string(c.outcome);
    EXPECT_EQ(driver.sends().size(), 2u);
    EXPECT_EQ(driver.step("b"), "intent");
    driver.settle("b", Outcome::kFailed);
    if (c.state == "needs_human") {
      EXPECT_EQ(driver.status(), TaskStatus::kWorking);
      driver.decide(driver.question(InterruptReason::kUncertainOutcome), Decision::kHappened);
    }
    EXPECT_EQ(driver.status(), TaskStatus::kCancelled);
  }
}

TEST(Cancel, TellsEachCallOnceThatItMayStopEarly) {
  Driver driver;
  std::vector<Action> calls;
  for (int i = 0; i < 20; ++i) {
    calls.push_back(tool("r" + std::to_string(i), contract(EffectClass::kRead, 2)));
  }
  calls.push_back(tool("once"));
  driver.answer(calls);
  driver.cancel();
  EXPECT_EQ(driver.aborts().size(), 20u) << "an acting call is not told";
  for (int i = 0; i < 20; ++i) driver.settle("r" + std::to_string(i), Outcome::kNotSent);
  EXPECT_EQ(driver.aborts().size(), 20u);
}

TEST(Cancel, SurvivesARestartInDoubt) {
  Driver driver;
  driver.answer({tool("once"), tool("read", contract(EffectClass::kRead, 5))});
  driver.cancel();
  driver.restart();
  EXPECT_EQ(driver.step("read"), "failed") << "not repeated for a task that ends";
  EXPECT_EQ(driver.step("once"), "needs_human");
  EXPECT_EQ(driver.sends().size(), 2u);
  driver.decide(driver.question(InterruptReason::kUncertainOutcome), Decision::kNotHappened);
  EXPECT_EQ(driver.status(), TaskStatus::kCancelled);
}

TEST(Cancel, BeforeTheFirstTurnEndsAtOnce) {
  Driver driver;
  driver.cancel();
  EXPECT_EQ(driver.status(), TaskStatus::kCancelled);
}

TEST(Cancel, WithdrawsWhatWasAsked) {
  Driver driver;
  driver.propose(
      {tool("a", {}, Verdict::kAsk), wish("v", "w"), wish("w", "w"), tool("doubt"), timer("t", 5)});
  driver.settle("doubt", Outcome::kInDoubt);
  driver.fire("t");
  for (int i = 0; i < 5; ++i) {
    driver.reject_turn();
    if (i < 4) driver.fire(std::string(core::kReplanTimer));
  }
  EXPECT_EQ(driver.questions(), 4u);
  const Seq asked = driver.question(InterruptReason::kToolApproval);
  driver.cancel();
  EXPECT_EQ(driver.questions(), 1u) << "a doubt keeps its question";
  EXPECT_EQ(driver.decide(asked, Decision::kApprove).reply.error().code, Code::kConflict);
  EXPECT_EQ(driver.step("a"), "denied");
  EXPECT_EQ(driver.step("w"), "denied");
}

TEST(End, OfATaskWithOpenCallsWaitsForThem) {
  for (const bool completes : {true, false}) {
    Driver driver;
    driver.answer({tool("sent"), tool("asked", {}, Verdict::kAsk), timer("t", 5), timer("u", 500)});
    driver.fire("t");
    Action end = FailAction{StopReason::kError, "no"};
    if (completes) end = CompleteAction{Payload::of("\"yes\"")};
    driver.answer({end});
    EXPECT_EQ(core::phase_of(driver.state()), Phase::kFinishing);
    EXPECT_EQ(driver.step("asked"), "denied");
    EXPECT_TRUE(driver.state().timers.empty());
    EXPECT_EQ(driver.count<TaskEnded>(), 0u);
    driver.settle("sent", Outcome::kSucceeded);
    EXPECT_EQ(driver.status(), completes ? TaskStatus::kCompleted : TaskStatus::kFailed);
    EXPECT_EQ(driver.count<TaskEnding>(), 1u);
    EXPECT_EQ(driver.count<TaskEnded>(), 1u);
  }
}

// The result is stored once: the end refers to the record that holds its bytes, and only to such a
// record.
TEST(End, RefersToItsResultWhereverThatStands) {
  const Payload in_line = Payload::of("\"yes\"");
  const Payload blob = Payload::blob(sha256("big"), 1'000'000);
  const Payload part = test::part_of_payload(1, 0, "{}");
  for (const Payload& result : {in_line, blob, part}) {
    Driver driver;
    driver.answer({tool("sent"), timer("t", 5)});
    driver.fire("t");
    driver.answer({CompleteAction{result}});
    driver.settle("sent", Outcome::kSucceeded);
    const TaskEnded& ended = driver.last<TaskEnded>();
    EXPECT_TRUE(ended.result.same_as(result));
    if (result.place != Payload::Place::kInline) {
      EXPECT_EQ(ended.result.place, result.place);
      EXPECT_EQ(ended.result.within_seq, result.within_seq);
      continue;
    }
    ASSERT_EQ(ended.result.place, Payload::Place::kWithin);
    const Record& holder = driver.records()[ended.result.within_seq - 1];
    EXPECT_EQ(payload_of(holder.body)->place, Payload::Place::kInline);
    EXPECT_TRUE(payload_of(holder.body)->same_as(result));
  }
}

TEST(End, NeverChanges) {
  Driver driver;
  driver.answer({tool("a"), timer("t", 5)});
  driver.settle("a", Outcome::kSucceeded);
  driver.answer({CompleteAction{}});
  ASSERT_EQ(driver.status(), TaskStatus::kCompleted);
  const size_t records = driver.records().size();
  EXPECT_EQ(driver.cancel().reply.error().code, Code::kConflict);
  driver.apply(FireTimer{"t"});
  driver.apply(RejectTurn{3, 5, "late"});
  driver.apply(driver.turn({tool("b")}));
  driver.decide(4, Decision::kApprove);
  EXPECT_EQ(driver.records().size(), records);
  EXPECT_FALSE(driver.apply(Acknowledge{"anna"}).reply->repeated);
  EXPECT_TRUE(driver.apply(Acknowledge{"otto"}).reply->repeated);
  EXPECT_EQ(driver.records().size(), records + 1);
  EXPECT_TRUE(driver.state().acknowledged);
}

TEST(End, IsNotAcknowledgedBeforeItIsThere) {
  Driver driver;
  EXPECT_EQ(driver.apply(Acknowledge{"anna"}).reply.error().code, Code::kConflict);
}

TEST(Suspended, OnlyWhileNothingIsUnderWay) {
  Driver driver;
  EXPECT_FALSE(core::is_suspended(driver.task())) << "a plan is open";
  driver.answer({tool("a"), tool("b", {}, Verdict::kAsk)});
  EXPECT_FALSE(core::is_suspended(driver.task())) << "a call is under way";
  driver.settle("a", Outcome::kInDoubt);
  EXPECT_TRUE(core::is_suspended(driver.task())) << "people are asked";
}

}  // namespace
}  // namespace perdure::test
