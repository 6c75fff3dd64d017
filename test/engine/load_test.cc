// Tasks that are read from the store on another thread: what comes meanwhile waits in order, and
// nobody else waits.
#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "world.h"

namespace perdure::test {
namespace {

constexpr const char* kAsks = R"({"script":[
  {"call":{"step":"pay","tool":"once.pay","args":{}}}, {"await":"pay"}, {"complete":1}]})";
constexpr const char* kWaits = R"({"script":[
  {"timer":{"id":"nap","after_ms":1000}}, {"await":{"timer":"nap"}}, {"complete":1}]})";

class LoadTest : public testing::Test {
 protected:
  LoadTest() {
    world_.apart = [this](std::function<void()> work) { work_.push_back(std::move(work)); };
    world_.start();
  }
  void run_one() {
    const auto work = std::move(work_.front());
    work_.pop_front();
    work();
    world_.pump();
  }
  void run_all() {
    while (!work_.empty()) run_one();
  }

  TestWorld world_;
  std::deque<std::function<void()>> work_;
};

TEST_F(LoadTest, OthersAreServedWhileATaskIsRead) {
  const TaskId slow = world_.submit(kWaits);
  std::optional<Result<engine::Submitted>> cancelled;
  world_.engine->command(slow, Cancel{"me", "no"}, [&](const auto& reply) { cancelled = reply; });
  world_.pump();
  EXPECT_FALSE(cancelled) << "its journal is not read yet";
  EXPECT_EQ(work_.size(), 1u);
  const TaskId quick = world_.submit(kAsks);
  EXPECT_EQ(world_.executor.sent.size(), 1u) << "the other goes on";
  EXPECT_EQ(world_.row(quick).status, TaskStatus::kWorking);
  run_all();
  ASSERT_TRUE(cancelled && *cancelled);
  EXPECT_EQ(world_.row(slow).status, TaskStatus::kCancelled);
}

TEST_F(LoadTest, WhatComesMeanwhileIsAppliedOnceAndInOrder) {
  const TaskId id = world_.submit(kWaits);
  std::vector<int> replies;
  for (int i = 0; i < 3; ++i) {
    world_.engine->command(id, Cancel{"me", "no"}, [&, i](const auto& reply) {
      replies.push_back(reply && reply->repeated ? 10 + i : i);
    });
  }
  world_.pump();
  EXPECT_EQ(work_.size(), 1u) << "read once for all";
  run_all();
  EXPECT_EQ(replies, (std::vector<int>{0, 11, 12}));
}

TEST_F(LoadTest, ATimerThatIsDueWaitsForItsTask) {
  const TaskId id = world_.submit(kWaits);
  world_.advance(2'000);
  EXPECT_EQ(world_.row(id).status, TaskStatus::kWorking);
  run_all();
  EXPECT_EQ(world_.row(id).status, TaskStatus::kCompleted);
}

TEST_F(LoadTest, NoMoreAreReadAtOnceThanAllowed) {
  world_.options.loads_max = 2;
  world_.start();
  std::vector<TaskId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(world_.submit(kWaits));
  for (const TaskId& id : ids) world_.engine->command(id, Cancel{"me", ""});
  world_.pump();
  EXPECT_EQ(work_.size(), 2u);
  run_one();
  EXPECT_EQ(work_.size(), 2u) << "the next one has begun";
  run_all();
  for (const TaskId& id : ids) EXPECT_EQ(world_.row(id).status, TaskStatus::kCancelled);
}

TEST_F(LoadTest, RecoveryReadsApartAndEnds) {
  std::vector<TaskId> ids;
  for (int i = 0; i < 40; ++i) ids.push_back(world_.submit(kAsks));
  world_.executor.sent.clear();
  world_.start();
  world_.pump();
  EXPECT_EQ(world_.engine->metrics().recovered, 0u);
  EXPECT_GT(world_.engine->next_wake_us(), world_.clock.monotonic_us()) << "it does not spin";
  EXPECT_EQ(world_.row(world_.submit(kAsks)).status, TaskStatus::kWorking);
  run_all();
  EXPECT_EQ(world_.engine->metrics().recovered, 40u);
  for (const TaskId& id : ids) EXPECT_EQ(world_.row(id).status, TaskStatus::kInputRequired);
}

TEST_F(LoadTest, WhoDrainsWaitsForWhatWasAskedForAndBeginsNothing) {
  const TaskId asked = world_.submit(kWaits);
  const TaskId left = world_.submit(kAsks);
  world_.start();
  world_.pump();
  world_.engine->command(asked, Cancel{"me", ""});
  world_.pump();
  world_.engine->drain();
  world_.pump();
  EXPECT_FALSE(world_.engine->is_drained());
  run_all();
  EXPECT_TRUE(world_.engine->is_drained());
  EXPECT_EQ(world_.row(asked).status, TaskStatus::kCancelled);
  EXPECT_EQ(world_.row(left).status, TaskStatus::kWorking) << "the next start recovers it";
}

TEST_F(LoadTest, ATaskThatIsNotThereIsNotFound) {
  std::optional<Result<engine::Submitted>> reply;
  world_.engine->command(TaskId::make(1, 2, 3), Cancel{}, [&](const auto& got) { reply = got; });
  world_.pump();
  run_all();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error().code, Code::kNotFound);
}

}  // namespace
}  // namespace perdure::test
