// The engine from outside: commands in, records in the store, requests at the executor.
#include "engine/engine.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "engine/journal_reader.h"
#include "engine/live.h"
#include "world.h"

namespace perdure::test {
namespace {

constexpr const char* kOneCall = R"({"script":[
  {"call":{"step":"pay","tool":"once.pay","args":{"order":42}}}, {"await":"pay"},
  {"complete":{"$result":"pay"}}]})";

class EngineTest : public testing::Test {
 protected:
  std::vector<std::string> kinds(const TaskId& id) {
    std::vector<std::string> names;
    engine::JournalReader journal(*world.store, id, 1);
    for (;;) {
      const auto record = journal.next();
      EXPECT_TRUE(record.has_value());
      if (!record || *record == nullptr) return names;
      names.emplace_back(name_of((*record)->body));
    }
  }

  TestWorld world;
};

TEST_F(EngineTest, DrivesATaskToItsEnd) {
  const TaskId id = world.submit(kOneCall);
  ASSERT_EQ(world.executor.sent.size(), 1u);
  EXPECT_EQ(world.executor.sent[0].request.send.args.view(), R"({"order":42})");
  EXPECT_EQ(world.executor.sent[0].request.key.size(), 32u);
  EXPECT_EQ(world.row(id).status, TaskStatus::kWorking);
  world.executor.answer(0, Outcome::kSucceeded, R"({"paid":true})");
  world.pump();
  EXPECT_EQ(world.row(id).status, TaskStatus::kCompleted);
  EXPECT_EQ(kinds(id), (std::vector<std::string>{"task_created", "turn_accepted", "step_planned",
                                                 "step_intended", "step_settled", "turn_accepted",
                                                 "task_ended"}));
  EXPECT_EQ(world.engine->metrics().live, 0u);
}

// Acceptance carries the first intent: the whole chain waits for the disk w + 1 times.
TEST_F(EngineTest, WaitsForTheDiskNoMoreThanItMust) {
  world.submit(kOneCall);
  world.executor.answer(0, Outcome::kSucceeded);
  world.pump();
  EXPECT_LE(world.engine->metrics().durable_waits, 0u + 1 + 2);
  EXPECT_LE(world.engine->metrics().commits, 3u);
}

TEST_F(EngineTest, EqualSubmissionsAreOneTask) {
  const TaskId id = world.submit(kOneCall, "k");
  EXPECT_EQ(world.submit(kOneCall, "k"), id);
  EXPECT_TRUE(world.last->repeated);
  world.submit(R"({"script":[]})", "k");
  ASSERT_FALSE(world.last);
  EXPECT_EQ(world.last.error().code, Code::kInvalid);
}

TEST_F(EngineTest, ACrashAfterTheIntentLeavesADoubtAndNoSecondSend) {
  const TaskId id = world.submit(kOneCall);
  world.start();
  world.pump();
  EXPECT_EQ(world.executor.sent.size(), 1u);
  EXPECT_EQ(world.row(id).status, TaskStatus::kInputRequired);
  const auto open = world.store->interrupts(InterruptQuery{"t", {}, {}, {}, 10});
  ASSERT_EQ(open->size(), 1u);
  EXPECT_EQ(open->front().reason, InterruptReason::kUncertainOutcome);
  Resolve happened;
  happened.interrupt_seq = open->front().seq;
  happened.decision = Decision::kHappened;
  happened.given = Payload::of(R"({"paid":true})");
  EXPECT_TRUE(world.command(id, happened));
  EXPECT_EQ(world.row(id).status, TaskStatus::kCompleted);
}

TEST_F(EngineTest, ACrashAfterAnIdempotentIntentSendsTheSameKeyAgain) {
  std::string script = kOneCall;
  script.replace(script.find("once.pay"), 8, "idempotent.pay");
  const TaskId id = world.submit(script);
  world.start();
  world.pump();
  ASSERT_EQ(world.executor.sent.size(), 2u);
  EXPECT_EQ(world.executor.sent[0].request.key, world.executor.sent[1].request.key);
  EXPECT_EQ(world.executor.sent[1].request.send.attempt, 2u);
  world.executor.answer(1, Outcome::kSucceeded);
  world.pump();
  EXPECT_EQ(world.row(id).status, TaskStatus::kCompleted);
  // The first attempt's answer comes after all: it is noted, and changes nothing.
  world.executor.answer(0, Outcome::kFailed);
  world.pump();
  EXPECT_EQ(world.row(id).status, TaskStatus::kCompleted);
}

TEST_F(EngineTest, TimersAreRowsAndFireOnce) {
  const TaskId id = world.submit(
      R"({"script":[{"timer":{"id":"t","after_ms":86400000}},{"await":{"timer":"t"}},{"complete":1}]})");
  EXPECT_EQ(world.engine->metrics().live, 0u);
  EXPECT_FALSE(world.row(id).runnable);
  world.advance(86'390'000);
  EXPECT_EQ(world.row(id).status, TaskStatus::kWorking);
  world.start();
  world.advance(10'000);
  EXPECT_EQ(world.row(id).status, TaskStatus::kCompleted);
  EXPECT_EQ(world.engine->metrics().timers_fired, 1u);
}

TEST_F(EngineTest, ARestartGoesOnAtTheExactStep) {
  const TaskId id = world.submit(R"({"script":[
    {"call":{"step":"a","tool":"read.a"}}, {"call":{"step":"b","tool":"read.b"}},
    {"await":{"all":["a","b"]}}, {"complete":[{"$result":"a"},{"$result":"b"}]}]})");
  world.executor.answer(0, Outcome::kSucceeded, "1");
  world.advance(20);
  world.start();
  world.pump();
  ASSERT_EQ(world.executor.sent.size(), 3u);
  EXPECT_EQ(world.executor.sent[2].request.send.step, "b");
  world.executor.answer(2, Outcome::kSucceeded, "2");
  world.pump();
  EXPECT_EQ(world.row(id).status, TaskStatus::kCompleted);
}

TEST_F(EngineTest, FoldingTheJournalGivesTheLiveState) {
  const TaskId id = world.submit(kOneCall);
  world.executor.answer(0, Outcome::kSucceeded);
  world.pump();
  Seq reached = 0;
  const auto folded = engine::load({*world.store, world.blobs, world.store->secret()}, id, reached);
  ASSERT_TRUE(folded);
  EXPECT_EQ((*folded)->task.state.head, 7u);
  EXPECT_EQ(core::status_of((*folded)->task.state), TaskStatus::kCompleted);
}

TEST_F(EngineTest, AnUnknownTaskIsNotFound) {
  const auto reply = world.command(TaskId::make(1, 2, 3), Cancel{});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kNotFound);
}

// A task that is rows in the store stays so, whatever is asked of it in vain.
TEST_F(EngineTest, ACommandThatChangesNothingLeavesNothingInMemory) {
  const TaskId id = world.submit(R"({"script":[{"complete":1}]})");
  EXPECT_FALSE(world.command(id, Cancel{}));
  EXPECT_EQ(world.engine->metrics().live, 0u);
  world.engine->command(id, FireTimer{"none"});
  world.pump();
  EXPECT_EQ(world.engine->metrics().live, 0u);
}

// The key of a submission that was refused is free again, and names no task that never was.
TEST_F(EngineTest, ARefusedSubmissionForgetsItsKey) {
  world.store->refuse_once = true;
  world.submit(kOneCall, "k");
  ASSERT_FALSE(world.last);
  EXPECT_EQ(world.last.error().code, Code::kUnavailable);
  const TaskId id = world.submit(kOneCall, "k");
  ASSERT_TRUE(world.last);
  EXPECT_FALSE(world.last->repeated);
  EXPECT_TRUE(world.store->task(id)->has_value());
}

TEST_F(EngineTest, RowsOfNoTaskAreDurableBeforeTheirReply) {
  int replies = 0;
  const auto keep = [&](const std::string& name, const std::string& value) {
    world.engine->keep({{"agent", "t", name, value}},
                       [&](const Result<engine::Submitted>& kept) { replies += kept ? 1 : 100; });
  };
  const auto value_of_a = [&] {
    const auto rows = world.store->kept("agent", std::nullopt, 10).value();
    return rows.empty() ? std::string() : rows[0].value;
  };
  world.store->hold = true;
  keep("a", "1");
  world.pump();
  EXPECT_EQ(replies, 0);
  world.store->go_on();
  world.pump();
  EXPECT_EQ(replies, 1);
  EXPECT_EQ(value_of_a(), "1");

  world.store->lose_once = true;  // alone, it is written again
  keep("a", "2");
  world.pump();
  EXPECT_EQ(replies, 2);
  EXPECT_EQ(value_of_a(), "2");

  world.store->refuse_once = true;  // a task beside them may be refused: they are not
  keep("a", "3");
  world.submit(kOneCall);
  EXPECT_FALSE(world.last);
  EXPECT_EQ(replies, 3);
  EXPECT_EQ(value_of_a(), "3");

  world.engine->drain();
  keep("a", "4");
  world.pump();
  EXPECT_EQ(replies, 103);
  EXPECT_EQ(value_of_a(), "3");
}

TEST_F(EngineTest, TheTimeOfACommitBeginsWithItsFirstRecord) {
  world.submit(kOneCall, "k");
  EXPECT_LE(world.engine->metrics().commit.sum_us(), 1'000'000u);
}

constexpr const char* kOneSecond =
    R"({"script":[{"timer":{"id":"t","after_ms":1000}},{"await":{"timer":"t"}},{"complete":1}]})";

// Nothing is at hand, and nothing will be before somebody calls: the thread may sleep.
TEST_F(EngineTest, SleepsWhileItDrains) {
  world.submit(kOneSecond);
  world.submit(kOneCall);
  world.engine->drain();
  world.advance(2'000);
  EXPECT_FALSE(world.engine->is_drained());
  EXPECT_GT(world.engine->next_wake_us(), world.clock.monotonic_us());
}

TEST_F(EngineTest, RecoveryWaitsForRoomAsleep) {
  world.submit(
      R"({"script":[{"call":{"step":"a","tool":"read.a"}},{"await":"a"},{"complete":1}]})");
  world.submit(
      R"({"script":[{"call":{"step":"b","tool":"read.b"}},{"await":"b"},{"complete":1}]})");
  world.options.live_max = 1;
  world.options.recover_page = 1;
  world.start();
  world.pump();
  ASSERT_EQ(world.executor.sent.size(), 3u);
  EXPECT_GT(world.engine->next_wake_us(), world.clock.monotonic_us());
  world.executor.answer(2, Outcome::kSucceeded);
  world.pump();
  EXPECT_EQ(world.executor.sent.size(), 4u);
}

// A planner elsewhere that never answers.
class AbsentPlanner : public Planner {
 public:
  bool in_process() const override { return false; }
  void plan(PlanRequest, Done) override { ++asked; }
  int asked = 0;
};

TEST_F(EngineTest, RecoveryDoesNotWaitForPlannersElsewhere) {
  AbsentPlanner absent;
  world.other = &absent;
  for (int i = 0; i < 3; ++i) {
    engine::NewTask task;
    task.submit.tenant = "t";
    task.submit.planner = "other";
    task.reply = [](const Result<engine::Submitted>& reply) { EXPECT_TRUE(reply); };
    world.engine->submit(std::move(task));
    world.pump();
    world.advance(1);
  }
  world.submit(
      R"({"script":[{"call":{"step":"a","tool":"read.a"}},{"await":"a"},{"complete":1}]})");
  ASSERT_EQ(absent.asked, 3);
  world.options.live_max = 1;
  world.options.recover_page = 1;
  world.start();
  world.pump();
  EXPECT_EQ(absent.asked, 6);
  EXPECT_EQ(world.executor.sent.size(), 2u) << "the task behind them is not recovered";
}

TEST_F(EngineTest, RecoveryDoesNotWaitForPeople) {
  for (const char* tool : {"read.a", "read.b"}) {
    world.submit(fmt::format(
        R"({{"script":[{{"call":{{"step":"a","tool":"{}"}}}},{{"await":"a"}},{{"complete":1}}]}})",
        tool));
  }
  world.options.live_max = 1;
  world.options.recover_page = 1;
  world.start();
  world.pump();
  ASSERT_EQ(world.executor.sent.size(), 3u) << "the second waits for room";
  const CallRequest& first = world.executor.sent[2].request;
  world.engine->command(first.task, Ask{first.send.step, first.send.attempt, "sure?", {}});
  world.pump();
  EXPECT_EQ(world.executor.sent.size(), 4u) << "the first waits for a person";
}

TEST_F(EngineTest, WhatCannotBeReadNowIsRecoveredLater) {
  const TaskId id = world.submit(kOneCall);
  world.start();
  world.store->unlisted = true;
  world.pump();
  world.store->unlisted = false;
  world.store->unreadable = Code::kInternal;
  world.advance(1'000);
  EXPECT_EQ(world.row(id).status, TaskStatus::kWorking);
  EXPECT_GT(world.engine->next_wake_us(), world.clock.monotonic_us());
  world.store->unreadable.reset();
  world.advance(1'000);
  EXPECT_EQ(world.engine->metrics().quarantined, 0u);
  EXPECT_EQ(world.row(id).status, TaskStatus::kInputRequired);
}

// Takes a note in every turn.
class EndlessPlanner : public Planner {
 public:
  bool in_process() const override { return true; }
  void plan(PlanRequest request, Done done) override {
    AnswerTurn turn;
    turn.turn = request.plan.turn;
    turn.upto_seq = request.plan.upto_seq;
    turn.more = true;
    turn.actions.emplace_back(NoteAction{Payload::of("1")});
    if (++turns == 5'000) turn.actions.emplace_back(CompleteAction{});
    turn.answer_hash = hash_answer(turn);
    if (turns == 10) on_tenth();
    done(std::move(turn));
  }
  uint64_t turns = 0;
  std::function<void()> on_tenth;
};

TEST_F(EngineTest, AReplyDoesNotWaitForTheEndOfOtherWork) {
  EndlessPlanner endless;
  endless.on_tenth = [&] { world.store->go_on(); };
  world.other = &endless;
  world.store->hold = true;
  engine::NewTask task;
  task.submit.tenant = "t";
  task.submit.planner = "other";
  uint64_t replied_at = 0;
  task.reply = [&](Result<engine::Submitted> reply) {
    EXPECT_TRUE(reply);
    replied_at = endless.turns;
  };
  world.engine->submit(std::move(task));
  world.pump();
  EXPECT_EQ(endless.turns, 5'000u);
  EXPECT_LE(replied_at, 12u);
}

TEST_F(EngineTest, HaltGivesTheRepliesOfTheLastCommitAndSendsNothing) {
  world.store->hold = true;
  bool replied = false;
  engine::NewTask task;
  task.submit.tenant = "t";
  task.submit.planner = "script";
  task.submit.input = Payload::of(kOneCall);
  task.reply = [&](Result<engine::Submitted> reply) { replied = reply.has_value(); };
  world.engine->submit(std::move(task));
  while (world.engine->pump()) {
  }
  EXPECT_FALSE(replied);
  world.store->go_on();  // one commit has the creation and the first intent
  world.engine->halt();
  EXPECT_TRUE(replied);
  EXPECT_TRUE(world.executor.sent.empty());
  world.start();
  world.pump();
  EXPECT_EQ(world.store->interrupts(InterruptQuery{"t", {}, {}, {}, 10})->size(), 1u);
}

TEST_F(EngineTest, ATimerSurvivesAClockThatStepsBackWhileItFires) {
  const TaskId id = world.submit(kOneSecond);
  const int64_t due_ms = world.store->timers_due(INT64_MAX, 1)->front().due_ms;
  world.clock.next_ms = {due_ms, due_ms, due_ms, due_ms - 50};
  world.engine->pump();
  EXPECT_EQ(world.row(id).status, TaskStatus::kWorking);
  world.pump();
  world.advance(100);
  EXPECT_EQ(world.row(id).status, TaskStatus::kCompleted);
}

TEST_F(EngineTest, AClockThatLeapsFiresNothingEarly) {
  const TaskId id = world.submit(kOneSecond);
  world.clock.leap_ms = 3'600'000;
  world.pump();
  EXPECT_EQ(world.engine->metrics().timers_fired, 0u);
  EXPECT_GT(world.engine->next_wake_us(), world.clock.monotonic_us());
  world.clock.leap_ms = 0;
  world.pump();
  EXPECT_EQ(world.row(id).status, TaskStatus::kWorking);
  world.advance(600'000);
  EXPECT_EQ(world.row(id).status, TaskStatus::kCompleted);
}

TEST_F(EngineTest, MoreOverdueTimersThanOneReadFireOnceEach) {
  constexpr size_t kTasks = 4'100;
  for (size_t i = 0; i < kTasks; ++i) {
    world.submit(
        R"({"script":[{"timer":{"id":"t","after_ms":86400000}},{"await":{"timer":"t"}},{"complete":1}]})");
  }
  world.start();
  world.clock.now_ms += 100'000'000;
  world.store->hold = true;
  for (int i = 0; i < 10; ++i) world.engine->pump();
  EXPECT_LE(world.engine->metrics().timers_fired, kTasks);
  EXPECT_GT(world.engine->next_wake_us(), world.clock.monotonic_us());
  world.store->go_on();
  world.pump();
  EXPECT_EQ(world.engine->metrics().timers_fired, kTasks);
  EXPECT_EQ(world.engine->metrics().live, 0u);
}

}  // namespace
}  // namespace perdure::test
