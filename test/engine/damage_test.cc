// Tasks whose stored bytes changed: they stand still, nothing is sent for them, the others go on.
#include "engine/damage.h"

#include <gtest/gtest.h>

#include "engine/salvage.h"
#include "world.h"

namespace perdure::test {
namespace {

std::string script_of(const std::string& tool) {
  return R"({"script":[{"call":{"step":"pay","tool":")" + tool +
         R"(","args":{"order":42}}}, {"await":"pay"}, {"complete":{"$result":"pay"}}]})";
}

// Two processes: the first leaves a task of each contract with its call under way, and dies; the
// second starts on what `change` makes of the store.
class DamageTest : public testing::Test {
 protected:
  DamageTest() {
    once_ = world_.submit(script_of("once.pay"));
    again_ = world_.submit(script_of("idempotent.pay"));
    other_ = world_.submit(script_of("idempotent.other"));
    good_ = world_.store->snapshot();
    now_ms_ = world_.clock.now_ms;
    key_ = world_.executor.sent.at(1).request.key;
  }

  void restart(const StoreRows& rows) {
    world_.engine.reset();
    world_.executor.sent.clear();
    world_.clock.now_ms = now_ms_;  // the keys are still known
    world_.store = std::make_unique<HandStore>(rows);
    world_.start();
    ASSERT_TRUE(world_.engine->load_damage());
    world_.pump();
    world_.advance(600'000);
  }

  bool holds(const TaskId& task) { return world_.engine->quarantine().holds(task); }
  size_t sent(const TaskId& task) {
    return static_cast<size_t>(
        std::count_if(world_.executor.sent.begin(), world_.executor.sent.end(),
                      [&](const auto& call) { return call.request.task == task; }));
  }

  TestWorld world_;
  TaskId once_, again_, other_;
  StoreRows good_;
  int64_t now_ms_ = 0;
  std::string key_;
};

TEST_F(DamageTest, WithoutDamageTheDeclaredCallGoesOutAgainUnderItsKey) {
  restart(good_);
  EXPECT_EQ(sent(once_), 0u);
  ASSERT_GE(sent(again_), 1u);
  EXPECT_EQ(world_.executor.sent.at(0).request.key, key_);
  EXPECT_EQ(world_.engine->quarantine().standing(), 0u);
}

TEST_F(DamageTest, EveryFlippedBitOfAFrameStopsItsTaskAndNoOther) {
  for (const TaskId& task : {once_, again_}) {
    for (size_t frame = 0; frame < good_.frames[task].size(); ++frame) {
      const size_t bits = good_.frames[task][frame].body.size() * 8;
      for (size_t bit = 0; bit < bits; bit += 3) {
        StoreRows rows = good_;
        std::string& body = rows.frames[task][frame].body;
        body[bit / 8] = static_cast<char>(body[bit / 8] ^ 1 << bit % 8);
        restart(rows);
        ASSERT_TRUE(holds(task)) << "bit " << bit << " of frame " << frame;
        ASSERT_EQ(sent(task), 0u);
        ASSERT_GE(sent(other_), 1u);
        ASSERT_EQ(world_.store->snapshot().frames[task].size(), good_.frames[task].size())
            << "its journal stays as it is";
      }
    }
  }
}

TEST_F(DamageTest, AnotherSecretSendsNothingAgain) {
  StoreRows rows = good_;
  rows.secret[7] ^= 1;
  restart(rows);
  EXPECT_TRUE(world_.executor.sent.empty());
  EXPECT_TRUE(holds(once_) && holds(again_) && holds(other_));
  const auto damage = world_.engine->quarantine().find(again_);
  EXPECT_NE(damage->what.find("key"), std::string::npos) << damage->what;
}

TEST_F(DamageTest, RowsThatDoNotSayWhatTheJournalSaysStopTheTask) {
  using Change = std::function<void(StoreRows&)>;
  const Change changes[] = {
      [&](StoreRows& rows) { rows.tasks[again_].status = TaskStatus::kInputRequired; },
      [&](StoreRows& rows) { rows.tasks[again_].phase = Phase::kCancelling; },
      [&](StoreRows& rows) { rows.tasks[again_].principal = "another"; },
      [&](StoreRows& rows) { rows.tasks[again_].metadata = R"({"x":1})"; },
      [&](StoreRows& rows) { rows.tasks[again_].head = 1000; },
      [&](StoreRows& rows) { rows.tasks[again_].ended_seq = 3; },
      [&](StoreRows& rows) { rows.tasks[again_].damaged = true; },
      [&](StoreRows& rows) { rows.timers[{again_, "wake"}] = 5; },
      [&](StoreRows& rows) {
        rows.interrupts[{again_, 3}] = {again_, 3, "t", InterruptReason::kQuestion, 1};
      },
  };
  for (const Change& change : changes) {
    StoreRows rows = good_;
    change(rows);
    restart(rows);
    EXPECT_TRUE(holds(again_)) << &change - changes;
    EXPECT_EQ(sent(again_), 0u) << &change - changes;
    EXPECT_GE(sent(other_), 1u);
  }
}

TEST_F(DamageTest, IsKnownAfterARestartAndRefusesCommands) {
  StoreRows rows = good_;
  rows.frames[again_].back().body[9] ^= 1;
  restart(rows);
  ASSERT_TRUE(holds(again_));
  EXPECT_EQ(world_.engine->quarantine().find(again_)->tenant, "t");
  restart(world_.store->snapshot());
  ASSERT_TRUE(holds(again_));
  const auto refused = world_.command(again_, Cancel{"me", ""});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  EXPECT_NE(refused.error().message.find("end-damaged"), std::string::npos);
}

TEST_F(DamageTest, APersonEndsItBesideItsJournal) {
  StoreRows rows = good_;
  Frame& last = rows.frames[again_].back();
  last.body[last.body.size() - 5] ^= 1;
  restart(rows);
  ASSERT_TRUE(holds(again_));
  auto read = engine::salvage(*world_.store, again_, good_.secret, 77);
  ASSERT_TRUE(read) << read.error().message;
  engine::EndDamaged end;
  end.damage = *world_.engine->quarantine().find(again_);
  end.damage.ended_by = "ann";
  end.damage.ended_ms = 77;
  end.damage.effects = read->effects;
  end.row = read->row;
  int replies = 0;
  end.reply = [&](const auto& done) { replies += done ? 1 : 100; };
  engine::EndDamaged twice = end;
  world_.engine->end_damaged(std::move(end));
  world_.pump();
  EXPECT_EQ(replies, 1);
  EXPECT_EQ(world_.row(again_).status, TaskStatus::kFailed);
  EXPECT_EQ(world_.store->snapshot().frames[again_].back().body, last.body);
  EXPECT_EQ(world_.engine->metrics().quarantined, 0u);
  world_.engine->end_damaged(std::move(twice));
  world_.pump();
  EXPECT_EQ(replies, 101) << "once";
  restart(world_.store->snapshot());
  EXPECT_TRUE(world_.engine->quarantine().find(again_)->is_ended());
  EXPECT_EQ(sent(again_), 0u);
}

// What a row of the store says of a damage is read back as it was.
TEST(DamageRow, KeepsWhatItSays) {
  engine::Damage damage;
  damage.task = TaskId::make(1, 2, 3);
  damage.tenant = "t";
  damage.record = 7;
  damage.what = "the hash chain is broken";
  damage.found_ms = 5;
  damage.ended_by = "ann";
  damage.ended_ms = 6;
  damage.effects.push_back({"pay", CallKind::kTool, "mail", EffectClass::kOnce, 2, 4, "KEY"});
  const auto read = engine::damage_of(engine::row_of(damage));
  ASSERT_TRUE(read);
  EXPECT_EQ(engine::row_of(*read).value, engine::row_of(damage).value);
  EXPECT_EQ(read->effects.at(0).name, "mail");
  KeptRow spoilt = engine::row_of(damage);
  spoilt.damaged = true;
  EXPECT_EQ(engine::damage_of(spoilt)->task, damage.task) << "it still stands still";
}

}  // namespace
}  // namespace perdure::test
