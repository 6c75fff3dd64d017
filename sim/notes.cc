// Which rare states a record shows.
#include <algorithm>

#include "world.h"

namespace perdure::sim {
namespace {

bool has_end(const std::map<StepId, SeenStep>& steps) {
  return std::any_of(steps.begin(), steps.end(),
                     [](const auto& step) { return step.second.in_doubt; });
}

class Notice {
 public:
  Notice(World& world, const SeenTask& before, bool was_down)
      : world_(world), before_(before), was_down_(was_down) {}

  void operator()(const TurnRejected& r) {
    if (r.reason.starts_with("action") || r.reason.starts_with("await")) hit(Probe::kMalformedTurn);
  }
  void operator()(const StepIntended& r) {
    const SeenStep* step = find(r.step);
    if (step == nullptr || step->intents.empty()) return;
    const bool idempotent = step->plan.contract.effect == EffectClass::kIdempotent;
    if (idempotent && step->in_doubt) hit(Probe::kResendIdempotent);
    if (!step->in_doubt) hit(Probe::kNotSentRetried);
  }
  void operator()(const StepSettled& r) {
    if (r.retry_after_ms > 0) hit(Probe::kRetryAfter);
    const SeenStep* step = find(r.step);
    if (step == nullptr || r.outcome != perdure::Outcome::kInDoubt) return;
    if (r.detail.starts_with("the process ended")) hit(Probe::kDoubtAfterCrash);
    if (step->plan.kind == CallKind::kModel) return hit(Probe::kDoubtModel);
    static constexpr Probe kDoubts[] = {Probe::kDoubtRead, Probe::kDoubtRepeat,
                                        Probe::kDoubtIdempotent, Probe::kDoubtProbe,
                                        Probe::kDoubtOnce};
    hit(kDoubts[static_cast<size_t>(step->plan.contract.effect)]);
  }
  void operator()(const StepClosed& r) {
    if (r.state == EffectState::kUnknown) hit(Probe::kUnknownByContract);
    if (r.state == EffectState::kFailed) hit(Probe::kExhausted);
  }
  void operator()(const TimerFired&) {
    if (was_down_) hit(Probe::kTimersAfterDowntime);
  }
  void operator()(const InterruptRequested& r) {
    if (r.reason == InterruptReason::kBudgetReached) hit(Probe::kBudgetReached);
    if (r.reason == InterruptReason::kPlannerFailed) hit(Probe::kPlannerFailed);
    if (r.reason == InterruptReason::kLoopDetected) hit(Probe::kPlannerStopped);
    if (r.reason == InterruptReason::kAuthRequired) hit(Probe::kCredentialAsked);
    const SeenStep* step = find(r.step);
    if (step == nullptr) return;
    const bool edited = step->args_hash != step->plan.args.hash;
    if (edited && r.reason == InterruptReason::kPossibleDuplicate) hit(Probe::kEditedAgain);
    if (r.reason != InterruptReason::kUncertainOutcome) return;
    if (step->plan.contract.effect == EffectClass::kIdempotent && !step->intents.empty() &&
        world_.clock().unix_ms() >= step->intents.back().record.not_after_ms) {
      hit(Probe::kHorizonPassed);
    }
  }
  void operator()(const InterruptResolved& r) {
    if (r.decision == Decision::kWithdrawn) return hit(Probe::kWithdrawn);
    if (r.expired) return hit(Probe::kExpired);
    const auto asked = before_.questions.find(r.interrupt_seq);
    if (asked != before_.questions.end()) resolved(asked->second.reason, r);
  }
  void operator()(const InterruptReminded&) { hit(Probe::kReminded); }
  void operator()(const InterruptEscalated&) { hit(Probe::kEscalated); }
  void operator()(const CancelRequested&) {
    if (before_.anything_sent()) hit(Probe::kCancelWithIntents);
    if (has_end(before_.steps)) hit(Probe::kCancelWithDoubt);
  }
  void operator()(const TaskEnding&) {
    if (before_.anything_sent()) hit(Probe::kEndWaitsForIntents);
  }
  void operator()(const TaskEnded& r) {
    if (r.stop_reason == StopReason::kMaxTurns) hit(Probe::kMaxTurns);
    if (r.status != TaskStatus::kCompleted) return;
    if (before_.created.planner == "agent") hit(Probe::kAgentCompleted);
    if (before_.created.planner == "script") hit(Probe::kScriptCompleted);
  }
  void operator()(const AnomalyNoted& r) {
    if (!r.step.empty()) hit(Probe::kLateAnswer);
  }
  template <class Other>
  void operator()(const Other&) {}

 private:
  void resolved(InterruptReason reason, const InterruptResolved& r) {
    const bool yes = r.decision == Decision::kApprove;
    if (reason == InterruptReason::kQuestion) {
      const bool answered = r.decision == Decision::kRespond;
      return hit(answered ? Probe::kQuestionAnswered : Probe::kQuestionDismissed);
    }
    if (r.decision == Decision::kEdit) return hit(Probe::kEdited);
    if (r.decision == Decision::kRespond) return hit(Probe::kResponded);
    switch (reason) {
      case InterruptReason::kToolApproval:
        return hit(yes ? Probe::kApproved : Probe::kRejected);
      case InterruptReason::kPossibleDuplicate:
        if (r.remember) hit(Probe::kDuplicateRemembered);
        return hit(yes ? Probe::kDuplicateApproved : Probe::kDuplicateRejected);
      case InterruptReason::kBudgetReached:
        return hit(yes ? Probe::kBudgetRaised : Probe::kBudgetRejected);
      case InterruptReason::kPlannerFailed:
        return hit(yes ? Probe::kPlannerFailedApproved : Probe::kPlannerFailedRejected);
      case InterruptReason::kUncertainOutcome:
        if (r.decision == Decision::kHappened) hit(Probe::kHappened);
        if (r.decision == Decision::kNotHappened) hit(Probe::kNotHappened);
        if (r.decision == Decision::kDismiss) hit(Probe::kDismissed);
        return;
      default:
        return;
    }
  }
  void hit(Probe probe) { world_.probe(probe); }
  const SeenStep* find(const StepId& id) const {
    const auto found = before_.steps.find(id);
    return found == before_.steps.end() ? nullptr : &found->second;
  }

  World& world_;
  const SeenTask& before_;
  const bool was_down_;
};

}  // namespace

void World::take_note(const SeenTask& before, const Record& record) {
  std::visit(Notice(*this, before, was_down_long_), record.body);
}

}  // namespace perdure::sim
