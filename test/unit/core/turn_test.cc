// The seam to a planner: turns are atomic, and stale, repeated, late or failed ones change nothing.
#include "support.h"

namespace perdure::test {
namespace {

const Plan* plan_of(const core::Applied& applied) {
  for (const Effect& effect : applied.effects) {
    if (const auto* plan = std::get_if<Plan>(&effect)) return plan;
  }
  return nullptr;
}

TEST(Turn, TheFirstPlanFollowsTheSubmission) {
  Driver driver;
  EXPECT_TRUE(driver.plan_is_open());
  EXPECT_EQ(driver.task().plan.turn, 1u);
  EXPECT_EQ(driver.task().plan.upto_seq, 1u);
  EXPECT_EQ(driver.status(), TaskStatus::kPending);
}

TEST(Turn, AllOfATurnStandsInOneCommit) {
  Driver driver;
  const auto applied = driver.answer({tool("a"), NoteAction{Payload::of("1")}, timer("t", 10)});
  ASSERT_TRUE(applied.reply);
  const std::vector<std::string_view> expected{"turn_accepted", "step_planned", "noted",
                                               "timer_set", "step_intended"};
  std::vector<std::string_view> names;
  for (const Record& record : applied.records) names.push_back(name_of(record.body));
  EXPECT_EQ(names, expected);
  EXPECT_EQ(driver.last<TurnAccepted>().actions, 3u);
  EXPECT_EQ(driver.last<TurnAccepted>().upto_seq, 1u);
}

TEST(Turn, NothingOfAMalformedTurnIsKept) {
  Driver driver;
  const auto applied = driver.answer({tool("a"), tool("b"), tool("a")});
  ASSERT_FALSE(applied.reply);
  EXPECT_EQ(applied.reply.error().code, Code::kInvalid);
  EXPECT_EQ(driver.count<StepPlanned>(), 0u);
  EXPECT_EQ(driver.count<TurnAccepted>(), 0u);
  EXPECT_EQ(driver.count<TurnRejected>(), 1u);
}

TEST(Turn, AnAnswerForAnotherTurnOrViewIsStale) {
  Driver driver;
  for (const auto& [turn, upto_seq] : {std::pair{2u, 1u}, {1u, 0u}, {1u, 2u}, {0u, 0u}}) {
    AnswerTurn stale = driver.turn({tool("a")});
    stale.turn = turn;
    stale.upto_seq = upto_seq;
    const auto applied = driver.apply(stale);
    ASSERT_FALSE(applied.reply);
    EXPECT_EQ(applied.reply.error().code, Code::kConflict);
    EXPECT_TRUE(applied.records.empty());
    RejectTurn rejection{turn, upto_seq, "stale"};
    EXPECT_TRUE(driver.apply(rejection).records.empty());
  }
  EXPECT_TRUE(driver.plan_is_open());
}

TEST(Turn, ARepeatOfTheLastTurnIsAcknowledged) {
  Driver driver;
  const AnswerTurn turn = driver.turn({tool("a")});
  driver.apply(turn);
  const auto repeat = driver.apply(turn);
  ASSERT_TRUE(repeat.reply);
  EXPECT_TRUE(repeat.reply->repeated);
  EXPECT_TRUE(repeat.records.empty());
  AnswerTurn other = turn;
  other.answer_hash = sha256("another answer");
  EXPECT_EQ(driver.apply(other).reply.error().code, Code::kConflict);

  driver.settle("a", Outcome::kSucceeded);
  EXPECT_TRUE(driver.plan_is_open());
  EXPECT_TRUE(driver.apply(turn).reply->repeated) << "while the next is open";
  driver.answer({CompleteAction{}});
  EXPECT_EQ(driver.apply(turn).reply.error().code, Code::kConflict) << "only the last";
}

TEST(Turn, WhatComesWhileATurnIsOpenIsRecordedAndShownInTheNext) {
  Driver driver;
  driver.answer({tool("a"), tool("b")});
  driver.settle("a", Outcome::kSucceeded);
  ASSERT_TRUE(driver.plan_is_open());
  const AnswerTurn turn = driver.turn({NoteAction{}});
  const auto applied = driver.settle("b", Outcome::kSucceeded);
  EXPECT_EQ(applied.records.size(), 1u);
  EXPECT_EQ(plan_of(applied), nullptr) << "the turn is open already";
  const auto next = driver.apply(turn);
  ASSERT_NE(plan_of(next), nullptr) << "b is news that the planner has not seen";
  EXPECT_EQ(plan_of(next)->upto_seq, driver.state().head);
}

TEST(Turn, AnAnswerAfterACancelIsStale) {
  Driver driver;
  driver.answer({tool("a"), timer("t", 5)});
  driver.fire("t");
  const AnswerTurn turn = driver.turn({tool("b")});
  driver.cancel();
  ASSERT_EQ(driver.status(), TaskStatus::kWorking) << "a was sent";
  EXPECT_EQ(driver.apply(turn).reply.error().code, Code::kConflict);
  EXPECT_EQ(driver.apply(RejectTurn{turn.turn, turn.upto_seq, "late"}).reply.error().code,
            Code::kConflict);
  EXPECT_EQ(driver.step("b"), "none");
}

TEST(Turn, ARestartAsksAgainForTheSameTurn) {
  Driver driver;
  driver.answer({timer("t", 5)});
  driver.fire("t");
  const Plan before{driver.task().plan.turn, driver.task().plan.upto_seq, 1};
  const auto applied = driver.restart();
  EXPECT_TRUE(applied.records.empty());
  ASSERT_NE(plan_of(applied), nullptr);
  EXPECT_EQ(plan_of(applied)->turn, before.turn);
  EXPECT_EQ(plan_of(applied)->upto_seq, before.upto_seq);
}

TEST(Turn, AFailedPlannerIsAskedAgainWithBackoffAndThenAPersonIs) {
  Driver driver;
  int64_t longest_ms = 0;
  for (uint32_t attempt = 1; attempt < 5; ++attempt) {
    const auto applied = attempt % 2 == 0 ? driver.reject_turn() : driver.answer({NoteAction{}});
    EXPECT_EQ(driver.last<TurnRejected>().attempt, attempt);
    EXPECT_EQ(driver.last<TimerSet>().purpose, TimerPurpose::kReplan);
    EXPECT_FALSE(driver.plan_is_open());
    longest_ms = std::max(longest_ms, driver.last<TimerSet>().due_ms - driver.now_ms());
    const auto fired = driver.fire(std::string(core::kReplanTimer));
    ASSERT_NE(plan_of(fired), nullptr);
    EXPECT_EQ(plan_of(fired)->attempt, attempt + 1);
    EXPECT_EQ(plan_of(fired)->turn, 1u);
  }
  EXPECT_GT(longest_ms, 0);
  EXPECT_LE(longest_ms, 8'000);
  driver.reject_turn("out of memory");
  EXPECT_EQ(driver.status(), TaskStatus::kInputRequired);
  EXPECT_FALSE(driver.plan_is_open());
  EXPECT_TRUE(driver.state().timers.empty());
  EXPECT_NE(driver.last<InterruptRequested>().message.find("out of memory"), std::string::npos);
}

void fail_planner(Driver& driver) {
  for (int i = 0; i < 4; ++i) {
    driver.reject_turn();
    driver.fire(std::string(core::kReplanTimer));
  }
  driver.reject_turn();
}

TEST(Turn, ApprovingAFailedPlannerAsksItAgainFromTheBeginning) {
  Driver driver;
  fail_planner(driver);
  const auto applied =
      driver.decide(driver.question(InterruptReason::kPlannerFailed), Decision::kApprove);
  ASSERT_NE(plan_of(applied), nullptr);
  EXPECT_EQ(plan_of(applied)->attempt, 1u);
  fail_planner(driver);
  EXPECT_NE(driver.question(InterruptReason::kPlannerFailed), 0u) << "five more attempts";
}

TEST(Turn, RejectingAFailedPlannerEndsTheTask) {
  Driver driver;
  fail_planner(driver);
  driver.decide(driver.question(InterruptReason::kPlannerFailed), Decision::kReject);
  EXPECT_EQ(driver.status(), TaskStatus::kFailed);
  EXPECT_EQ(driver.state().ended->stop_reason, StopReason::kPlannerFailed);
}

TEST(Turn, AnAcceptedTurnForgetsEarlierRejections) {
  Driver driver;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) {
      driver.reject_turn();
      driver.fire(std::string(core::kReplanTimer));
    }
    driver.answer({NoteAction{}}, {.await = {}, .more = true});
  }
  EXPECT_EQ(driver.questions(), 0u);
}

TEST(Turn, ALongReasonIsCutBetweenCharacters) {
  Driver driver;
  std::string reason = "x";
  for (int i = 0; i < 2'000; ++i) reason += "\xC3\xA9";
  driver.reject_turn(reason);
  const std::string kept = driver.last<TurnRejected>().reason;
  EXPECT_LE(kept.size(), 2'000u);
  EXPECT_EQ(kept.size() % 2, 1u) << "half a character";
}

TEST(Turn, MorePlansAtOnce) {
  Driver driver;
  const auto applied = driver.answer({NoteAction{}}, {.await = {}, .more = true});
  ASSERT_NE(plan_of(applied), nullptr);
  EXPECT_EQ(plan_of(applied)->turn, 2u);
}

TEST(Turn, WhatThePlannerRanItselfIsNews) {
  Driver driver;
  const auto applied = driver.answer({local("l"), local("m", Outcome::kFailed)});
  ASSERT_TRUE(applied.reply) << applied.reply.error().message;
  EXPECT_EQ(driver.step("l"), "succeeded");
  EXPECT_EQ(driver.step("m"), "failed");
  EXPECT_EQ(driver.count<StepIntended>(), 0u);
  ASSERT_NE(plan_of(applied), nullptr);
  driver.answer({local("n"), CompleteAction{}});
  EXPECT_EQ(driver.status(), TaskStatus::kCompleted);
}

struct AwaitCase {
  std::string name;
  Await await;
  std::string order;      // what happens: step ids and timer ids
  size_t planned_before;  // how many of those must happen until the planner is asked
};

class AwaitTable : public testing::TestWithParam<AwaitCase> {};

TEST_P(AwaitTable, HoldsExactlyThen) {
  const AwaitCase& c = GetParam();
  Driver driver;
  driver.answer({tool("a"), tool("b"), timer("s", 10), timer("t", 20)}, {.await = c.await});
  for (size_t i = 0; i < c.order.size(); ++i) {
    EXPECT_FALSE(driver.plan_is_open()) << "before event " << i;
    if (i == c.planned_before) break;
    const std::string id(1, c.order[i]);
    if (id == "a" || id == "b") {
      driver.settle(id, id == "a" ? Outcome::kSucceeded : Outcome::kFailed);
    } else {
      driver.fire(id);
    }
    EXPECT_EQ(driver.plan_is_open(), i + 1 == c.planned_before) << "after event " << i;
    if (driver.plan_is_open()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, AwaitTable,
    testing::Values(AwaitCase{"news_by_step", {}, "ab", 1}, AwaitCase{"news_by_timer", {}, "s", 1},
                    AwaitCase{"step", step_is_done("b"), "astb", 4},
                    AwaitCase{"timer", timer_fired("t"), "abst", 4},
                    AwaitCase{"any", any_of({step_is_done("b"), timer_fired("t")}), "sat", 3},
                    AwaitCase{"all", all_of({step_is_done("a"), timer_fired("s")}), "bsta", 4},
                    AwaitCase{"all_of_any",
                              all_of({any_of({step_is_done("a"), timer_fired("s")}),
                                      any_of({step_is_done("b"), timer_fired("t")})}),
                              "sab", 3},
                    AwaitCase{"any_of_all",
                              any_of({all_of({step_is_done("a"), step_is_done("b")}),
                                      all_of({timer_fired("s"), timer_fired("t")})}),
                              "asb", 3}),
    [](const auto& info) { return info.param.name; });

TEST(Await, WhatHoldsAlreadyPlansAtOnce) {
  Driver driver;
  driver.answer({tool("a"), tool("b")}, {.await = step_is_done("a")});
  driver.settle("a", Outcome::kSucceeded);
  const auto applied = driver.answer({}, {.await = step_is_done("a")});
  EXPECT_NE(plan_of(applied), nullptr);
}

TEST(Turns, LimitCountsTurnsThatCallAModel) {
  Driver driver(Limits{.turns = 2});
  driver.answer({NoteAction{}}, {.await = {}, .more = true});
  driver.answer({model("m1"), model("m2"), model("m3")},
                {.await = all_of({step_is_done("m1"), step_is_done("m2"), step_is_done("m3")})});
  for (const char* id : {"m1", "m2", "m3"}) driver.settle(id, Outcome::kSucceeded);
  driver.answer({tool("t")});
  driver.settle("t", Outcome::kSucceeded);
  driver.answer({model("m4")});
  EXPECT_EQ(driver.step("m4"), "intent") << "two turns called a model, one of them three times";
  driver.settle("m4", Outcome::kSucceeded);
  driver.answer({tool("u")});
  EXPECT_EQ(driver.step("u"), "intent") << "a turn without a model is not limited";
  driver.settle("u", Outcome::kSucceeded);
  driver.answer({model("m5")});
  EXPECT_EQ(driver.step("m5"), "none");
  EXPECT_EQ(driver.status(), TaskStatus::kFailed);
  EXPECT_EQ(driver.state().ended->stop_reason, StopReason::kMaxTurns);
}

// A failover is no turn of its own.
TEST(Turns, OneWhoseEveryCallFailedIsNotCounted) {
  Driver driver(Limits{.turns = 2});
  const auto fail_one = [&](const StepId& id) {
    driver.answer({model(id)}, {.await = step_is_done(id)});
    EXPECT_EQ(driver.step(id), "intent");
    driver.settle(id, Outcome::kFailed, FailureClass::kAuth);
  };
  for (const char* id : {"a", "b", "c", "d"}) fail_one(id);
  EXPECT_EQ(core::model_turns_of(driver.state()), 0u);
  driver.answer({model("m1"), model("m2")},
                {.await = all_of({step_is_done("m1"), step_is_done("m2")})});
  EXPECT_EQ(core::model_turns_of(driver.state()), 1u) << "it may be answered yet";
  driver.settle("m1", Outcome::kFailed, FailureClass::kInvalid);
  driver.settle("m2", Outcome::kSucceeded);
  EXPECT_EQ(core::model_turns_of(driver.state()), 1u);
  fail_one("e");
  driver.restart();
  driver.answer({model("m3")});
  EXPECT_EQ(driver.step("m3"), "intent");
  driver.settle("m3", Outcome::kSucceeded);
  EXPECT_EQ(core::model_turns_of(driver.state()), 2u);
  driver.answer({model("m4")});
  EXPECT_EQ(driver.step("m4"), "none");
  EXPECT_EQ(driver.state().ended->stop_reason, StopReason::kMaxTurns);
}

// A planner that waits for none of its calls gets no more of them.
TEST(Turns, OpenCallsCountUntilTheyFail) {
  Driver driver(Limits{.turns = 2});
  driver.answer({model("m1"), model("m2")}, {.await = {}, .more = true});
  driver.answer({model("m3")}, {.await = {}, .more = true});
  driver.settle("m1", Outcome::kFailed, FailureClass::kInvalid);
  EXPECT_EQ(core::model_turns_of(driver.state()), 2u);
  driver.settle("m2", Outcome::kFailed, FailureClass::kInvalid);
  EXPECT_EQ(core::model_turns_of(driver.state()), 1u);
  EXPECT_EQ(driver.state().turn.asking.size(), 1u) << "nothing is kept of turns that are over";
  driver.answer({model("m4")}, {.await = {}, .more = true});
  EXPECT_EQ(driver.step("m4"), "intent");
  driver.answer({model("m5")});
  EXPECT_EQ(driver.state().ending->stop_reason, StopReason::kMaxTurns);
}

TEST(Timers, OneThatIsDueInThePastFiresAtOnce) {
  Driver driver;
  driver.answer({TimerAction{"t", 0, 1}});
  EXPECT_TRUE(driver.apply(FireTimer{"t"}).reply);
  EXPECT_TRUE(driver.plan_is_open());
}

TEST(Timers, NoneIsFurtherThanACentury) {
  Driver driver;
  driver.answer({TimerAction{"t", INT64_MAX, 0}, TimerAction{"u", 0, INT64_MAX}});
  for (const auto& [id, timer] : driver.state().timers) {
    EXPECT_LE(timer.due_ms, kStartMs + 101LL * 366 * 86'400'000) << id;
    EXPECT_GE(timer.due_ms, kStartMs + 99LL * 365 * 86'400'000) << id;
  }
}

}  // namespace
}  // namespace perdure::test
