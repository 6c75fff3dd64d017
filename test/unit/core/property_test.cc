// Thousands of random lives of a task. The Driver checks every promise after every command; here it
// is also counted what those lives have seen, so that none of it is vacuous.
#include <set>

#include "core/effect_machine.h"
#include "core/evolve.h"
#include "journal/binary.h"
#include "random_task.h"

namespace perdure::test {
namespace {

using Arrow = std::pair<EffectState, EffectState>;

std::set<Arrow> all_arrows() {
  std::set<Arrow> arrows;
  for (int s = 0; s <= static_cast<int>(last_of(EffectState{})); ++s) {
    for (int e = 0; e <= static_cast<int>(core::EffectEvent::kAnswered); ++e) {
      const auto from = static_cast<EffectState>(s);
      const auto to = core::next_state(from, static_cast<core::EffectEvent>(e));
      if (to) arrows.insert({from, *to});
    }
  }
  return arrows;
}

TEST(Property, RandomLivesKeepEveryPromiseAndTakeEveryArrow) {
  std::set<Arrow> taken;
  std::set<std::string_view> records;
  std::set<TaskStatus> statuses;
  std::set<StopReason> reasons;
  std::set<InterruptReason> questions;
  std::set<std::pair<Decision, bool>> decisions;  // and whether nobody took them
  for (uint64_t seed = 0; seed < 3'000; ++seed) {
    RandomTask task(seed);
    task.run(160);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    taken.insert(task.driver().arrows().begin(), task.driver().arrows().end());
    statuses.insert(task.driver().status());
    if (task.driver().state().ended) reasons.insert(task.driver().state().ended->stop_reason);
    for (const Record& record : task.driver().records()) {
      records.insert(name_of(record.body));
      const auto* asked = std::get_if<InterruptRequested>(&record.body);
      if (asked != nullptr) questions.insert(asked->reason);
      const auto* decided = std::get_if<InterruptResolved>(&record.body);
      if (decided != nullptr) decisions.insert({decided->decision, decided->expired});
    }
  }
  const std::set<Arrow> arrows = all_arrows();
  EXPECT_EQ(arrows.size(), 31u) << "two events of one state lead to the same place";
  for (const Arrow& arrow : arrows) {
    EXPECT_TRUE(taken.contains(arrow))
        << "never taken: " << to_string(arrow.first) << " -> " << to_string(arrow.second);
  }
  for (const Arrow& arrow : taken) EXPECT_TRUE(arrows.contains(arrow));
  EXPECT_EQ(records.size(), std::variant_size_v<RecordBody>);
  EXPECT_TRUE(statuses.contains(TaskStatus::kCompleted));
  EXPECT_TRUE(statuses.contains(TaskStatus::kFailed));
  EXPECT_TRUE(statuses.contains(TaskStatus::kCancelled));
  for (const StopReason reason :
       {StopReason::kEndTurn, StopReason::kError, StopReason::kCancelled, StopReason::kBudget,
        StopReason::kMaxTurns, StopReason::kPlannerFailed, StopReason::kExpired}) {
    EXPECT_TRUE(reasons.contains(reason)) << to_string(reason);
  }
  for (const InterruptReason reason :
       {InterruptReason::kToolApproval, InterruptReason::kUncertainOutcome,
        InterruptReason::kPossibleDuplicate, InterruptReason::kBudgetReached,
        InterruptReason::kPlannerFailed, InterruptReason::kQuestion,
        InterruptReason::kLoopDetected}) {
    EXPECT_TRUE(questions.contains(reason)) << to_string(reason);
  }
  for (const Decision decision : {Decision::kApprove, Decision::kReject, Decision::kRespond}) {
    EXPECT_TRUE(decisions.contains({decision, true})) << to_string(decision) << ", expired";
  }
  EXPECT_TRUE(decisions.contains({Decision::kEdit, false}));
}

// A record that a disk gave back in another order, or twice, or not at all, is found, and never
// ends the process.
TEST(Property, DamagedJournalsAreErrorsOrOtherStates) {
  size_t refused = 0;
  for (uint64_t seed = 0; seed < 150; ++seed) {
    RandomTask task(seed);
    task.run(60);
    std::mt19937_64 random(seed);
    for (int damage = 0; damage < 20; ++damage) {
      std::vector<Record> records = task.driver().records();
      const size_t at = 1 + random() % (records.size() - 1);
      if (random() % 2 == 0) {
        records.erase(records.begin() + static_cast<int64_t>(at));
      } else {
        records[at].body = records[random() % records.size()].body;
      }
      core::TaskState state;
      Seq seq = 0;
      for (Record& record : records) {
        record.seq = ++seq;
        if (core::evolve(state, record)) continue;
        ++refused;
        break;
      }
    }
  }
  EXPECT_GT(refused, 1'000u);
}

// State grows with what happened, not with its square: the folded state of a long life is bounded
// by a constant a step.
TEST(Property, StateGrowsWithTheNumberOfSteps) {
  const auto size_after = [](size_t turns) {
    Driver driver;
    for (size_t i = 0; i < turns; ++i) {
      const StepId id = "s" + std::to_string(i);
      driver.propose({wish(id, "wish " + std::to_string(i))});
      driver.settle(id, Outcome::kSucceeded);
    }
    std::string bytes;
    BinaryWriter(bytes).put(driver.state());
    return bytes.size();
  };
  const size_t empty = size_after(0);
  const size_t some = size_after(100) - empty;
  const size_t many = size_after(800) - empty;
  EXPECT_LT(many, some * 9);
}

}  // namespace
}  // namespace perdure::test
