#pragma once
// One task under the core, with its clock in the test's hand. Every command that passes through a
// Driver is followed by a check of all invariants, so that each test is also a test of those.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/task.h"
#include "invariants.h"

namespace perdure::test {

inline constexpr int64_t kStartMs = 1'700'000'000'000;

Contract contract(EffectClass effect, uint32_t max_attempts = 1, OnDoubt on_doubt = OnDoubt::kAsk);
// The receiver knows a key for ten minutes, a request lives at most one.
Contract idempotent(uint32_t max_attempts = 3, OnDoubt on_doubt = OnDoubt::kAsk);

// A call of a tool that policy allows and that uses one tool call.
CallAction tool(const StepId& step, Contract contract = {}, Verdict verdict = Verdict::kAllow);
// The same, as a model proposed it: calls with equal `wish` are equal calls.
CallAction wish(const StepId& step, const std::string& wish, Contract contract = {},
                Verdict verdict = Verdict::kAllow);
CallAction model(const StepId& step, MicroUsd reserve_micro_usd = 0);
CallAction local(const StepId& step, Outcome outcome = Outcome::kSucceeded);
TimerAction timer(const TimerId& id, int64_t after_ms);
AskAction question(const StepId& step);

Await step_is_done(const StepId& step);
Await timer_fired(const TimerId& id);
Await any_of(std::vector<Await> of);
Await all_of(std::vector<Await> of);

struct TurnOptions {
  Await await;
  bool more = false;
  bool guarded = false;
};

class Driver {
 public:
  explicit Driver(Limits limits = {}, PeopleRules people = {});

  core::Applied apply(const Command& command);

  // Answers the open turn. Fails the test if none is open.
  core::Applied answer(std::vector<Action> actions, TurnOptions options = {});
  // As a model's proposal.
  core::Applied propose(std::vector<Action> actions);
  AnswerTurn turn(std::vector<Action> actions, TurnOptions options = {});
  core::Applied reject_turn(const std::string& reason = "it crashed");
  // The outcome of the step's newest attempt.
  core::Applied settle(const StepId& step, Outcome outcome,
                       FailureClass failure = FailureClass::kNone, int64_t retry_after_ms = 0);
  core::Applied settle_using(const StepId& step, Outcome outcome, std::optional<Usage> used);
  core::Applied decide(Seq interrupt_seq, Decision decision, Usage add = {}, bool remember = false);
  // Edits the arguments, answers a question, or says what happened.
  core::Applied give(Seq interrupt_seq, Decision decision, const std::string& json,
                     const std::string& wish = {});
  core::Applied cancel() { return apply(Cancel{"anna", "enough"}); }
  // Moves the clock to the timer's due time and fires it.
  core::Applied fire(const TimerId& id);
  core::Applied fire_retry(const StepId& step);
  // The process ends, another one reads the journal.
  core::Applied restart();

  void pass(int64_t ms) { now_ms_ += ms; }
  int64_t now_ms() const { return now_ms_; }
  core::Task& task() { return task_; }
  const core::TaskState& state() const { return task_.state; }
  bool plan_is_open() const { return task_.plan.open; }
  const std::vector<Record>& records() const { return records_; }

  std::string step(const StepId& id) const;  // its state's name, or "none"
  TaskStatus status() const { return core::status_of(state()); }
  // The one open question of this reason; 0 if there is none or more than one.
  Seq question(InterruptReason reason) const;
  size_t questions() const { return state().interrupts.size(); }
  size_t sends_of(const StepId& step) const;
  const std::vector<Send>& sends() const { return sends_; }
  const std::vector<StepId>& aborts() const { return aborts_; }
  const std::vector<Answered>& answered() const { return answered_; }
  template <class Body>
  size_t count() const {
    size_t n = 0;
    for (const Record& record : records_) n += std::holds_alternative<Body>(record.body);
    return n;
  }
  template <class Body>
  const Body& last() const {
    for (size_t i = records_.size(); i-- > 0;) {
      if (const auto* body = std::get_if<Body>(&records_[i].body)) return *body;
    }
    ADD_FAILURE() << "there is no " << Body::kName;
    static const Body kNone;
    return kNone;
  }
  // Every change of an effect's state that a record has made.
  const std::set<std::pair<EffectState, EffectState>>& arrows() const { return arrows_; }

 private:
  void note_records(const core::Applied& applied);

  PeopleRules people_;
  core::Task task_;
  int64_t now_ms_ = kStartMs;
  core::TaskState folded_;  // by evolve alone, from the records
  std::vector<Record> records_;
  Promises promises_;
  std::vector<Send> sends_;
  std::vector<StepId> aborts_;
  std::vector<Answered> answered_;
  std::set<std::pair<EffectState, EffectState>> arrows_;
  uint64_t answers_ = 0;
};

}  // namespace perdure::test
