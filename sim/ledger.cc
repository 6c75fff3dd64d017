#include "ledger.h"

#include <variant>

namespace perdure::sim {
namespace {

class Note {
 public:
  Note(SeenTask& task, const Record& record) : task_(task), seq_(record.seq), at_(record.at_ms) {}

  void operator()(const TaskCreated& r) {
    task_.created = r;
    task_.limits = r.limits;
  }
  void operator()(const TurnAccepted& r) {
    task_.turns = r.turn;
    task_.answers[r.turn] = r.answer_hash;
  }
  void operator()(const TurnRejected&) {}
  void operator()(const StepPlanned& r) {
    SeenStep& step = task_.steps[r.step];
    step.plan = r;
    step.planned_seq = seq_;
    step.args_hash = r.args.hash;
    step.identity = r.identity;
    step.wished_seq = seq_;
    if (r.verdict == Verdict::kDeny) end(r.step, EffectState::kDenied);
  }
  void operator()(const StepIntended& r) {
    SeenStep& step = task_.steps[r.step];
    step.intents.push_back({seq_, at_, r});
    step.intent_open = true;
    step.in_doubt = false;
  }
  void operator()(const StepSettled& r) {
    SeenStep& step = task_.steps[r.step];
    const bool not_executed = r.outcome == Outcome::kNotSent || r.outcome == Outcome::kDeferred;
    if (r.used) {
      task_.spent += *r.used;
    } else if (!not_executed && step.intent_open) {
      task_.spent += step.plan.reserve;
    }
    step.intent_open = false;
    if (r.outcome == Outcome::kInDoubt) {
      step.in_doubt = true;
      ++step.doubts;
    }
    if (r.outcome == Outcome::kSucceeded) end(r.step, EffectState::kSucceeded);
    if (r.outcome == Outcome::kFailed) end(r.step, EffectState::kFailed);
  }
  void operator()(const StepClosed& r) {
    if (is_terminal(r.state)) return end(r.step, r.state);
    task_.steps[r.step].in_doubt = true;
  }
  void operator()(const TimerSet& r) { task_.timers[r.timer] = r; }
  void operator()(const TimerFired& r) { task_.timers.erase(r.timer); }
  void operator()(const TimerCleared& r) { task_.timers.erase(r.timer); }
  void operator()(const InterruptRequested& r) {
    task_.questions[seq_] = r;
    task_.asked[seq_] = r;
    task_.asked_ms[seq_] = at_;
  }
  void operator()(const InterruptResolved& r) {
    const auto question = task_.questions.find(r.interrupt_seq);
    if (question == task_.questions.end()) return;
    const InterruptRequested asked = question->second;
    task_.questions.erase(question);
    task_.decisions[r.interrupt_seq] = r;
    task_.decided_at[seq_] = r.interrupt_seq;
    if (asked.reason == InterruptReason::kBudgetReached && r.decision == Decision::kApprove) {
      raise(task_.limits.cost_micro_usd, r.add.cost_micro_usd);
      raise(task_.limits.model_calls, r.add.model_calls);
      raise(task_.limits.tool_calls, r.add.tool_calls);
    }
    if (r.decision == Decision::kRespond && task_.steps.contains(asked.step)) {
      // A call that asked while it runs goes on.
      if (!task_.steps[asked.step].intent_open) end(asked.step, EffectState::kSucceeded, true);
    }
    if (r.decision == Decision::kEdit) edit(asked.step, r);
    if (asked.reason != InterruptReason::kUncertainOutcome) return;
    if (r.decision == Decision::kHappened) end(asked.step, EffectState::kSucceeded, true);
    if (r.decision == Decision::kNotHappened) end(asked.step, EffectState::kFailed, true);
    if (r.decision == Decision::kDismiss) end(asked.step, EffectState::kUnknown, true);
  }
  void operator()(const InterruptReminded&) {}
  void operator()(const InterruptEscalated&) {}
  void operator()(const CancelRequested&) { task_.cancel_seq = seq_; }
  void operator()(const TaskEnding&) { task_.ending_seq = seq_; }
  void operator()(const TaskEnded& r) {
    if (task_.ended) return;
    task_.ended = r;
    task_.ended_seq = seq_;
  }
  void operator()(const TaskAcknowledged&) { task_.acknowledged = true; }
  void operator()(const AnomalyNoted&) {}
  void operator()(const Noted&) {}
  void operator()(const StepProgressed& r) {
    task_.steps[r.step].provider_ids.push_back(r.provider_id);
  }

 private:
  void end(const StepId& id, EffectState state, bool asserted = false) {
    SeenStep& step = task_.steps[id];
    step.end = state;
    step.end_seq = seq_;
    step.asserted = asserted;
  }
  void edit(const StepId& id, const InterruptResolved& r) {
    SeenStep& step = task_.steps[id];
    step.args_hash = r.given.hash;
    if (!step.identity.is_zero()) step.identity = r.identity;
    step.wished_seq = seq_;
  }
  static void raise(int64_t& limit, int64_t by) {
    if (limit != kUnlimited) limit += by;
  }

  SeenTask& task_;
  const Seq seq_;
  const int64_t at_;
};

}  // namespace

Usage SeenTask::reserved() const {
  Usage sum;
  for (const auto& [name, step] : steps) {
    if (step.intent_open) sum += step.plan.reserve;
  }
  return sum;
}

bool SeenTask::anything_sent() const {
  for (const auto& [name, step] : steps) {
    if (step.intent_open) return true;
  }
  return false;
}

void note(SeenTask& task, const Record& record) {
  std::visit(Note(task, record), record.body);
  task.head = record.seq;
}

std::string tag_of(const SeenTask& task) {
  constexpr std::string_view kBefore = R"({"tag":")";
  const std::string& text = task.created.metadata;
  if (!text.starts_with(kBefore)) return {};
  return text.substr(kBefore.size(), text.find('"', kBefore.size()) - kBefore.size());
}

}  // namespace perdure::sim
