// Snapshots: a task that is loaded through one is the task that its journal says, one that does not
// fit is as good as none, and whatever becomes of them costs nothing but time.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <deque>

#include "core/state_layout.h"
#include "engine/live.h"
#include "engine/snapshots.h"
#include "world.h"

namespace perdure::test {
namespace {

using Kind = TaskSnapshot::Kind;

// `steps` calls, one after the other.
std::string long_script(int steps) {
  std::string script;
  for (int i = 0; i < steps; ++i) {
    script += fmt::format(
        R"({{"call":{{"step":"s{0}","tool":"once.pay","args":{{"n":{0}}}}}}},{{"await":"s{0}"}},)",
        i);
  }
  return R"({"script":[)" + script + R"({"complete":1}]})";
}

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    world_.has_snapshots = true;
    world_.options.snapshot_floor = 0;
    world_.start();
  }

  // Answers the calls that are under way, one by one.
  void go_on(int steps) {
    for (int i = 0; i < steps; ++i) {
      world_.executor.answer(world_.executor.sent.size() - 1, Outcome::kSucceeded);
      world_.pump();
    }
  }
  TaskSnapshot& stored(const TaskId& id) {
    return world_.snapshots.rows.at({id, Kind::kState}).snapshot;
  }
  void sign(const TaskId& id) {
    world_.snapshots.rows.at({id, Kind::kState}).digest = digest_of(stored(id));
  }

  std::unique_ptr<engine::Live> load(const TaskId& id, Snapshots* snapshots) {
    Seq reached = 0;
    auto live =
        engine::load({*world_.store, world_.blobs, world_.store->secret(), snapshots}, id, reached);
    EXPECT_TRUE(live) << live.error().message;
    return live ? std::move(*live) : nullptr;
  }
  // Through the snapshot, if there is one that fits, it is the same task.
  void expect_same(const TaskId& id) {
    const auto plain = load(id, nullptr);
    const auto through = load(id, &world_.snapshots);
    ASSERT_TRUE(plain && through);
    EXPECT_EQ(core::encode(through->task.state), core::encode(plain->task.state));
    EXPECT_EQ(through->chain, plain->chain);
    EXPECT_EQ(through->durable_seq, plain->durable_seq);
    const Seq head = plain->task.state.head;
    const auto a = through->recent.between(1, head), b = plain->recent.between(1, head);
    ASSERT_EQ(a.size(), b.size()) << "what its planner has to be told";
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].seq, b[i].seq);
      EXPECT_EQ(encode_record(a[i]), encode_record(b[i]));
    }
  }

  TestWorld world_;
};

TEST_F(SnapshotTest, ATaskLoadedThroughOneIsTheSameAtEveryPoint) {
  const TaskId id = world_.submit(long_script(40));
  for (int i = 0; i < 40; ++i) {
    expect_same(id);
    go_on(1);
  }
  EXPECT_GT(world_.snapshots.written, 5u);
  EXPECT_GT(world_.snapshots.found, 20u);
}

// One snapshot, and ever more of a journal behind it.
TEST_F(SnapshotTest, HoweverMuchStandsBehindItTheTaskIsTheSame) {
  const TaskId id = world_.submit(long_script(40));
  go_on(9);
  const auto kept = world_.snapshots.rows;
  for (int i = 9; i < 40; ++i) {
    world_.snapshots.rows = kept;
    expect_same(id);
    go_on(1);
  }
}

TEST_F(SnapshotTest, AfterACrashItGoesOnThroughOneAndCallsNothingTwice) {
  const TaskId id = world_.submit(long_script(12));
  go_on(8);
  const size_t sent = world_.executor.sent.size();
  world_.start();
  const size_t found = world_.snapshots.found;
  world_.pump();
  EXPECT_GT(world_.snapshots.found, found) << "recovery reads it";
  EXPECT_EQ(world_.executor.sent.size(), sent) << "the call under way is in doubt";
  EXPECT_EQ(world_.row(id).status, TaskStatus::kInputRequired);
}

TEST_F(SnapshotTest, OneThatDoesNotFitIsAsGoodAsNone) {
  struct Case {
    const char* what;
    std::function<void(const TaskId&)> spoil;
  };
  const Case cases[] = {
      {"its bytes have changed", [&](const TaskId& id) { stored(id).body[20] ^= 1; }},
      {"its seq has changed", [&](const TaskId& id) { ++stored(id).seq; }},
      {"it is of another journal",
       [&](const TaskId& id) { stored(id).chain = sha256("another"), sign(id); }},
      {"it is of another format", [&](const TaskId& id) { ++stored(id).format, sign(id); }},
      {"it says to be older than it is", [&](const TaskId& id) { --stored(id).seq, sign(id); }},
      {"it is no state", [&](const TaskId& id) { stored(id).body = "nothing", sign(id); }},
      {"it is another task's",
       [&](const TaskId& id) {
         core::TaskState state = *core::decode_state(stored(id).body);
         state.id = TaskId::make(1, 2, 3);
         stored(id).body = core::encode(state), sign(id);
       }},
      {"it knows more than the journal",
       [&](const TaskId& id) {
         core::TaskState state = *core::decode_state(stored(id).body);
         state.head += 1000;
         stored(id).seq += 1000;
         stored(id).body = core::encode(state), sign(id);
       }},
      {"it leaves out what was open",
       [&](const TaskId& id) {
         core::TaskState state = *core::decode_state(stored(id).body);
         stored(id).chain = sha256("as if"), state.open.clear();
         stored(id).body = core::encode(state), sign(id);
       }},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.what);
    const TaskId id = world_.submit(long_script(12));
    go_on(5);
    each.spoil(id);
    expect_same(id);
    EXPECT_EQ(world_.snapshots.find(id, Kind::kState), std::nullopt) << "it is dropped";
    // And the task goes on, with the next one.
    go_on(5);
    expect_same(id);
    EXPECT_NE(world_.snapshots.find(id, Kind::kState), std::nullopt);
    EXPECT_EQ(world_.engine->quarantine().standing(), 0u);
    world_.command(id, Cancel{"me", ""});
  }
}

TEST_F(SnapshotTest, WhenTheTaskEndsItGoes) {
  const TaskId id = world_.submit(long_script(10));
  go_on(9);
  EXPECT_FALSE(world_.snapshots.rows.empty());
  go_on(1);
  EXPECT_EQ(world_.row(id).status, TaskStatus::kCompleted);
  EXPECT_TRUE(world_.snapshots.rows.empty());
}

TEST_F(SnapshotTest, OneThatIsWrittenWhileTheTaskEndsGoesToo) {
  std::deque<std::function<void()>> work;
  world_.apart = [&](std::function<void()> piece) { work.push_back(std::move(piece)); };
  world_.start();
  const TaskId id = world_.submit(long_script(3));
  ASSERT_FALSE(work.empty()) << "a snapshot is to be written";
  go_on(2);
  const size_t pieces = work.size();
  work.front()();  // reads the journal now, and ends late
  EXPECT_FALSE(world_.snapshots.rows.empty());
  go_on(1);
  EXPECT_EQ(world_.row(id).status, TaskStatus::kCompleted);
  EXPECT_GE(work.size(), pieces);
  for (size_t i = 1; i < work.size(); ++i) work[i]();
  world_.pump();
  while (!work.empty() && !world_.snapshots.rows.empty()) {
    work.back()();
    work.pop_back();
    world_.pump();
  }
  EXPECT_TRUE(world_.snapshots.rows.empty());
}

TEST_F(SnapshotTest, WhatAProcessLeftThatEndedWithItsTaskIsRemoved) {
  const TaskId over = world_.submit(long_script(3));
  go_on(1);
  const TaskSnapshot left = stored(over);
  go_on(2);
  const TaskId open = world_.submit(long_script(3));
  go_on(1);
  ASSERT_TRUE(world_.snapshots.put(left));
  TaskSnapshot of_nobody = left;
  of_nobody.task = TaskId::make(1, 2, 3);
  ASSERT_TRUE(world_.snapshots.put(of_nobody));
  engine::sweep_snapshots(*world_.store, world_.snapshots);
  EXPECT_EQ(world_.snapshots.tasks(), std::vector<TaskId>{open});
}

TEST_F(SnapshotTest, AFullDiskStopsNobody) {
  world_.snapshots.is_full = true;
  const TaskId id = world_.submit(long_script(10));
  go_on(10);
  EXPECT_EQ(world_.row(id).status, TaskStatus::kCompleted);
  EXPECT_EQ(world_.snapshots.written, 0u);
  EXPECT_TRUE(world_.failure.empty());
}

// A journal that cannot be read writes none, and nobody is told that the store failed.
TEST_F(SnapshotTest, WhatCannotBeReadIsNotWritten) {
  const TaskId id = world_.submit(long_script(10));
  go_on(2);
  world_.store->unreadable = Code::kUnavailable;
  go_on(7);
  world_.store->unreadable.reset();
  go_on(1);
  EXPECT_EQ(world_.row(id).status, TaskStatus::kCompleted);
  EXPECT_TRUE(world_.failure.empty());
}

// Each is paid for by what has come since the last one: together they cost a multiple of the
// journal, however long it is.
TEST_F(SnapshotTest, AllOfThemCostAMultipleOfTheJournal) {
  uint64_t last_bytes = 0;
  for (const int steps : {200, 400, 800}) {
    const size_t written = world_.snapshots.written;
    const uint64_t before = world_.snapshots.written_bytes;
    const TaskId id = world_.submit(long_script(steps));
    go_on(steps - 1);
    uint64_t journal = 0;
    for (const Frame& frame : world_.store->snapshot().frames.at(id)) {
      journal += engine::weight_of(frame.body.size(), frame.count);
    }
    const uint64_t bytes = world_.snapshots.written_bytes - before;
    EXPECT_LT(bytes, 3 * journal) << steps;
    EXPECT_LT(world_.snapshots.written - written, static_cast<size_t>(steps)) << steps;
    if (last_bytes > 0) EXPECT_LT(bytes, 3 * last_bytes) << "twice the journal: " << steps;
    last_bytes = bytes;
    go_on(1);
  }
}

TEST_F(SnapshotTest, ShortTasksHaveNone) {
  world_.options.snapshot_floor = engine::Options{}.snapshot_floor;
  world_.start();
  world_.submit(long_script(20));
  go_on(20);
  EXPECT_EQ(world_.snapshots.written, 0u);
}

// What stands before the snapshot was verified when that was made: its damage is found by who reads
// it, and acted on by nobody.
TEST_F(SnapshotTest, DamageBeforeItIsFoundByWhoReadsThere) {
  const TaskId id = world_.submit(long_script(12));
  go_on(8);
  StoreRows rows = world_.store->snapshot();
  rows.frames.at(id)[1].body[9] ^= 1;
  world_.engine.reset();
  world_.store = std::make_unique<HandStore>(rows);
  Seq reached = 0;
  const std::string secret = world_.store->secret();
  const engine::LoadFrom plain{*world_.store, world_.blobs, secret, nullptr};
  EXPECT_FALSE(engine::load(plain, id, reached));
  const auto through = load(id, &world_.snapshots);
  ASSERT_TRUE(through);
  // One that is damaged behind it is not to be had at all.
  rows.frames.at(id)[1].body[9] ^= 1;
  rows.frames.at(id).back().body[9] ^= 1;
  world_.store = std::make_unique<HandStore>(rows);
  const engine::LoadFrom with{*world_.store, world_.blobs, secret, &world_.snapshots};
  EXPECT_FALSE(engine::load(with, id, reached));
}

}  // namespace
}  // namespace perdure::test
