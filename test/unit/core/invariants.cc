#include "invariants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace perdure::test {
namespace {

// What the records say about one step.
struct StepStory {
  StepPlanned planned;
  uint32_t intents = 0;
  uint32_t not_tried = 0;  // fetches, and what was held back
  bool is_known_there = false;
  uint32_t group = 0;
  int64_t not_after_ms = 0;
  bool doubt_in_group = false;
  Sha256 args_hash;  // as edited; zero: as planned
  bool open = true;
};

bool may_repeat(EffectClass effect) {
  return effect == EffectClass::kRead || effect == EffectClass::kRepeat;
}

void check_sums(const core::TaskState& state) {
  Usage reserved;
  for (const auto& [id, step] : state.open) {
    reserved += step.reserved;
    if (step.state != EffectState::kIntent && step.provider_id.empty()) {
      EXPECT_EQ(step.reserved, Usage{}) << id << " reserves without an intent";
    }
  }
  EXPECT_EQ(reserved, state.reserved);
  EXPECT_GE(state.spent.cost_micro_usd, 0);
  EXPECT_GE(state.spent.model_calls, 0);
  EXPECT_GE(state.spent.tool_calls, 0);
}

void check_questions(const core::TaskState& state) {
  size_t budget = 0;
  for (const auto& [seq, interrupt] : state.interrupts) {
    budget += interrupt.reason == InterruptReason::kBudgetReached;
    const auto timer = state.timers.find("!ask/" + std::to_string(seq));
    const Asking& asking = interrupt.asking;
    if (asking.expires_ms > 0) EXPECT_TRUE(timer != state.timers.end()) << seq << " never expires";
    if (timer != state.timers.end() && asking.expires_ms > 0) {
      EXPECT_LE(timer->second.due_ms, interrupt.requested_ms + asking.expires_ms);
    }
    if (interrupt.step.empty()) continue;
    const auto step = state.open.find(interrupt.step);
    const bool asks_about_open = step != state.open.end() && step->second.interrupt_seq == seq;
    EXPECT_TRUE(asks_about_open) << to_string(interrupt.reason) << " about '" << interrupt.step
                                 << "' has lost its point";
  }
  EXPECT_LE(budget, 1u) << "asked about the budget twice";
  for (const auto& [id, timer] : state.timers) {
    if (timer.purpose != TimerPurpose::kAsk) continue;
    EXPECT_TRUE(state.interrupts.contains(std::stoull(id.substr(5)))) << id << " has no question";
  }
  for (const auto& [id, step] : state.open) {
    if (step.interrupt_seq != 0) EXPECT_TRUE(state.interrupts.contains(step.interrupt_seq)) << id;
  }
}

// Each step by itself is either under way, or waits for a timer, a person or the budget.
void check_steps_wait(const core::TaskState& state) {
  bool budget_asked = false;
  for (const auto& [seq, interrupt] : state.interrupts) {
    budget_asked |= interrupt.reason == InterruptReason::kBudgetReached;
  }
  for (const auto& [id, step] : state.open) {
    const bool waits_for_budget =
        budget_asked && (step.state == EffectState::kReady || step.state == EffectState::kInDoubt);
    EXPECT_TRUE(step.state == EffectState::kIntent || step.retry_pending ||
                step.interrupt_seq != 0 || waits_for_budget)
        << id << " is " << to_string(step.state) << " and waits for nothing";
  }
}

// Some part of the await can still come true.
bool can_hold(const core::TaskState& state, const Await& await) {
  const auto child = [&](const Await& of) { return can_hold(state, of); };
  switch (await.op) {
    case Await::Op::kNews:
      return state.news_seq > state.turn.upto_seq || !state.open.empty() || !state.timers.empty();
    case Await::Op::kStep:
      return core::state_of_step(state, await.name).has_value();
    case Await::Op::kTimer: {
      const auto set = state.timers.find(await.name);
      return state.fired.contains(await.name) ||
             (set != state.timers.end() && set->second.purpose == TimerPurpose::kPlanner);
    }
    case Await::Op::kAny:
      return std::any_of(await.of.begin(), await.of.end(), child);
    case Await::Op::kAll:
      return std::all_of(await.of.begin(), await.of.end(), child);
  }
  return false;
}

void check_alive(const core::Task& task) {
  const core::TaskState& state = task.state;
  bool in_flight = false;
  for (const auto& [id, step] : state.open) in_flight |= step.state == EffectState::kIntent;
  EXPECT_TRUE(task.plan.open || in_flight || !state.interrupts.empty() || !state.timers.empty())
      << "the task waits for nothing";
  const bool planner_waits = !task.plan.open && !state.ending && !state.turn.replan_pending &&
                             state.turn.interrupt_seq == 0 && state.turn.number > 0;
  if (planner_waits) EXPECT_TRUE(can_hold(state, state.turn.await)) << "for what cannot come";
}

}  // namespace

class Promises::Reader {
 public:
  void read(const Record& record) {
    at_ms_ = record.at_ms;
    seq_ = record.seq;
    expect(record.at_ms >= last_ms_, "time goes back");
    last_ms_ = record.at_ms;
    std::visit([this](const auto& body) { (*this)(body); }, record.body);
  }

 private:
  template <class Body>
  void operator()(const Body&) {}

  void operator()(const StepPlanned& r) {
    expect(!steps_.contains(r.step), "planned twice: " + r.step);
    steps_[r.step].planned = r;
  }

  void operator()(const StepIntended& r) {
    StepStory& step = steps_[r.step];
    const Contract& contract = step.planned.contract;
    const bool same_group = r.group == step.group;
    expect(step.planned.verdict != Verdict::kDeny, "sent against policy: " + r.step);
    expect(step.planned.verdict == Verdict::kAllow || r.attempt > 1 || r.decision_seq != 0,
           "sent without approval: " + r.step);
    expect(r.decision_seq == 0 || consumed_.insert(r.decision_seq).second, "a decision used twice");
    expect(r.args_hash == step.args_hash, "sent with other arguments: " + r.step);
    expect(r.attempt == ++step.intents, "attempts are not dense: " + r.step);
    step.not_tried += step.is_known_there;
    expect(step.intents - step.not_tried <= std::max(1u, contract.max_attempts),
           "too many attempts: " + r.step);
    if (step.doubt_in_group && !may_repeat(contract.effect)) {
      expect(contract.effect == EffectClass::kIdempotent, "sent again in doubt: " + r.step);
      expect(same_group, "a new key in doubt: " + r.step);
      expect(at_ms_ < r.not_after_ms, "an expired key in doubt: " + r.step);
    }
    if (same_group) {
      expect(r.not_after_ms == step.not_after_ms, "a key's time was stretched: " + r.step);
    } else {
      step.doubt_in_group = false;
    }
    step.group = r.group;
    step.not_after_ms = r.not_after_ms;
    expect(!ended_ && !ending_, "sent although the task ends: " + r.step);
  }

  void operator()(const StepSettled& r) {
    const bool ambiguous =
        r.outcome == Outcome::kInDoubt ||
        (r.outcome == Outcome::kDeferred && r.failure == FailureClass::kAmbiguous);
    StepStory& step = steps_[r.step];
    step.doubt_in_group |= ambiguous;
    const bool not_sent = r.outcome == Outcome::kNotSent;
    step.not_tried += not_sent && r.failure == FailureClass::kRateLimit && !step.is_known_there;
    step.is_known_there &= not_sent || r.outcome == Outcome::kDeferred;
  }

  void operator()(const StepProgressed& r) { steps_[r.step].is_known_there = true; }

  void operator()(const StepClosed& r) {
    const StepStory& step = steps_[r.step];
    const bool says_not_done = r.state == EffectState::kDenied || r.state == EffectState::kFailed;
    expect(!says_not_done || !step.doubt_in_group || may_repeat(step.planned.contract.effect),
           "called not done although it may be: " + r.step);
  }

  void operator()(const InterruptRequested& r) {
    expect(!ended_, "a question after the end");
    if (ending_) expect(r.reason == InterruptReason::kUncertainOutcome, "a question at the end");
    asked_[seq_] = {r, at_ms_};
  }

  void operator()(const InterruptResolved& r) {
    expect(decided_.insert(r.interrupt_seq).second, "decided twice");
    const auto& [asked, asked_ms] = asked_.at(r.interrupt_seq);
    if (r.decision == Decision::kEdit) steps_[asked.step].args_hash = r.given.hash;
    const bool late = asked.asking.expires_ms > 0 && at_ms_ >= asked_ms + asked.asking.expires_ms;
    if (r.expired) expect(late, "expired early");
    if (!r.expired && r.decision != Decision::kWithdrawn) expect(!late, "decided after its expiry");
  }

  void operator()(const InterruptReminded& r) {
    expect(!decided_.contains(r.interrupt_seq), "reminded of what is decided");
    const auto& [asked, asked_ms] = asked_.at(r.interrupt_seq);
    expect(r.reminders > reminders_[r.interrupt_seq], "reminded twice");
    expect(at_ms_ >= asked_ms + asked.asking.remind_ms.at(r.reminders - 1), "reminded early");
    reminders_[r.interrupt_seq] = r.reminders;
  }

  void operator()(const InterruptEscalated& r) {
    expect(!decided_.contains(r.interrupt_seq), "escalated what is decided");
    expect(escalated_.insert(r.interrupt_seq).second, "escalated twice");
    const auto& [asked, asked_ms] = asked_.at(r.interrupt_seq);
    expect(at_ms_ >= asked_ms + asked.asking.escalate_ms, "escalated early");
  }

  void operator()(const TimerFired& r) { expect(due_.at(r.timer) <= at_ms_, "a timer was early"); }
  void operator()(const TimerSet& r) { due_[r.timer] = r.due_ms; }
  void operator()(const CancelRequested&) { decide_end(); }
  void operator()(const TaskEnding&) { decide_end(); }
  void operator()(const TaskEnded&) {
    expect(!ended_, "two terminal records");
    ended_ = true;
  }

  void decide_end() {
    expect(!ending_ && !ended_, "two ends");
    ending_ = true;
  }

  void expect(bool holds, const std::string& otherwise) { EXPECT_TRUE(holds) << otherwise; }

  bool ending_ = false;
  bool ended_ = false;
  Seq seq_ = 0;
  int64_t at_ms_ = 0;
  int64_t last_ms_ = 0;
  std::map<StepId, StepStory> steps_;
  std::map<TimerId, int64_t> due_;
  std::set<Seq> decided_;
  std::set<Seq> consumed_;
  std::map<Seq, std::pair<InterruptRequested, int64_t>> asked_;
  std::map<Seq, uint32_t> reminders_;
  std::set<Seq> escalated_;
};

Promises::Promises() : reader_(std::make_unique<Reader>()) {}
Promises::~Promises() = default;

void Promises::read(const Record& record) {
  reader_->read(record);
}

void check_task(const core::Task& task) {
  const core::TaskState& state = task.state;
  check_sums(state);
  check_questions(state);
  if (state.ending) {
    for (const auto& [id, timer] : state.timers) {
      EXPECT_EQ(timer.purpose, TimerPurpose::kAsk) << "a timer of a task that ends: " << id;
    }
    for (const auto& [seq, interrupt] : state.interrupts) {
      EXPECT_EQ(interrupt.reason, InterruptReason::kUncertainOutcome) << "a question at the end";
    }
  }
  if (!state.ended) {
    check_steps_wait(state);
    return check_alive(task);
  }
  EXPECT_FALSE(task.plan.open);
  EXPECT_FALSE(state.ending);
  EXPECT_TRUE(state.open.empty());
  EXPECT_TRUE(state.timers.empty());
  EXPECT_TRUE(state.interrupts.empty());
}

void check_effects(const core::Applied& applied) {
  std::map<std::pair<StepId, uint32_t>, const StepIntended*> intents;
  for (const Record& record : applied.records) {
    const auto* intent = std::get_if<StepIntended>(&record.body);
    if (intent != nullptr) intents[{intent->step, intent->attempt}] = intent;
  }
  size_t sends = 0;
  size_t plans = 0;
  for (const Effect& effect : applied.effects) {
    plans += std::holds_alternative<Plan>(effect);
    const auto* send = std::get_if<Send>(&effect);
    if (send == nullptr) continue;
    const auto found = intents.find({send->step, send->attempt});
    // After a restart an answer is fetched under the intent that stands.
    if (found == intents.end() && !send->provider_id.empty()) continue;
    ++sends;
    ASSERT_NE(found, intents.end()) << send->step << " is sent without an intent";
    EXPECT_EQ(found->second->group, send->group);
    EXPECT_EQ(found->second->not_after_ms, send->not_after_ms);
  }
  EXPECT_EQ(sends, intents.size());
  EXPECT_LE(plans, 1u);
}

void check_after_end(const core::Applied& applied) {
  EXPECT_TRUE(applied.effects.empty());
  for (const Record& record : applied.records) {
    EXPECT_TRUE(std::holds_alternative<TaskAcknowledged>(record.body) ||
                std::holds_alternative<AnomalyNoted>(record.body))
        << name_of(record.body) << " after the end";
  }
}

}  // namespace perdure::test
