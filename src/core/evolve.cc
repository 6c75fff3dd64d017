#include "core/evolve.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.h"
#include "core/effect_machine.h"
#include "journal/binary.h"
#include "journal/price.h"

namespace perdure::core {
namespace {

using hooks::Bug;
using hooks::planted;

Status impossible(std::string what) {
  return fail(Code::kCorrupt, std::move(what));
}

// Questions about the task itself, before whose answer no turn is planned.
bool holds_planner(InterruptReason reason) {
  return reason == InterruptReason::kPlannerFailed || reason == InterruptReason::kLoopDetected ||
         reason == InterruptReason::kProviderRefusal || reason == InterruptReason::kAuthRequired;
}

// One record, one place: the overload for its type.
class Evolver {
 public:
  Evolver(TaskState& state, const Record& record)
      : state_(state), seq_(record.seq), at_ms_(record.at_ms) {}

  Status operator()(const TaskCreated& r) {
    if (seq_ != 1) return impossible("created twice");
    state_.tenant = r.tenant;
    state_.principal = r.principal;
    state_.planner = r.planner;
    state_.agent = r.agent;
    state_.agent_version = r.agent_version;
    state_.metadata = r.metadata;
    state_.session = r.session;
    state_.limits = r.limits;
    state_.input = r.input;
    state_.created_ms = at_ms_;
    return {};
  }

  Status operator()(const TurnAccepted& r) {
    Turn& turn = state_.turn;
    if (r.turn != turn.number + 1 && !planted(Bug::kTurnAcceptedTwice)) {
      return impossible(fmt::format("turn {} after turn {}", r.turn, turn.number));
    }
    turn.number = r.turn;
    turn.upto_seq = r.upto_seq;
    turn.answer_hash = r.answer_hash;
    turn.more = r.more;
    turn.await = r.await;
    turn.state = r.state;
    turn.rejections = 0;
    std::erase_if(turn.asking, [](const auto& asked) { return asked.second.open == 0; });
    return {};
  }

  Status operator()(const TurnRejected& r) {
    if (r.turn != state_.turn.number + 1) return impossible("a rejected turn that is not open");
    ++state_.turn.rejections;
    return {};
  }

  Status operator()(const StepPlanned& r) {
    if (state_of_step(state_, r.step)) return impossible("step '" + r.step + "' planned twice");
    Step& step = state_.open[r.step];
    step.kind = r.kind;
    step.name = r.name;
    step.executed_by = r.executed_by;
    step.contract = r.contract;
    step.reserve = r.reserve;
    step.unpriced = r.unpriced;
    step.args = r.args;
    step.planned_seq = seq_;
    step.turn = state_.turn.number;
    if (r.kind == CallKind::kModel) ++state_.turn.asking[step.turn].open;
    if (!r.identity.is_zero()) state_.wishes[r.identity].push_back(r.step);
    const bool allowed = r.verdict == Verdict::kAllow || planted(Bug::kApprovalSkipped);
    if (allowed) return move(r.step, EffectEvent::kAllowed);
    if (r.verdict == Verdict::kDeny) return move(r.step, EffectEvent::kDenied);
    return {};
  }

  Status operator()(const StepIntended& r) {
    Step* step = find(r.step);
    if (step == nullptr || r.attempt != step->attempt + 1)
      return impossible("an intent out of turn");
    if (r.group != step->group) step->may_have_run = false;
    step->attempt = r.attempt;
    if (!step->provider_id.empty()) ++step->not_tried;
    step->group = r.group;
    step->key_check = r.key_check;
    step->not_after_ms = r.not_after_ms;
    step->decision_seq = 0;
    if (step->sent.size() == kSentKept) step->sent.erase(step->sent.begin());
    step->sent.push_back({r.attempt, at_ms_, std::nullopt, {}});
    step->reserved += r.reserved;  // a fetch adds nothing: what its call may use is still reserved
    state_.reserved += r.reserved;
    return move(r.step, EffectEvent::kIntended);
  }

  Status operator()(const StepSettled& r) {
    if (planted(Bug::kLateAnswerOverwrites) && state_.closed.contains(r.step)) {
      state_.closed[r.step] = {EffectState::kFailed, seq_};
      return {};
    }
    Step* step = find(r.step);
    if (step == nullptr || r.attempt != step->attempt)
      return impossible("an outcome without intent");
    settle_usage(*step, r);
    if (!step->sent.empty()) {  // a planner's own step has no intent
      step->sent.back().outcome = r.outcome;
      step->sent.back().detail = r.detail;
    }
    step->failure = r.failure;
    const bool unreadable = r.failure == FailureClass::kMalformedOutput;
    if (unreadable) ++step->unreadable;
    const bool limited_late =  // behind a part of the answer
        r.failure == FailureClass::kRateLimit && r.outcome == Outcome::kInDoubt && !r.used;
    if (unreadable || limited_late || r.failure == FailureClass::kAmbiguous) ++step->paid_in_vain;
    // Only what was put off is still to be had there.
    const bool put_off = r.outcome == Outcome::kDeferred || r.outcome == Outcome::kNotSent;
    if (!put_off) step->provider_id.clear();
    const bool held_back = r.outcome == Outcome::kNotSent && r.failure == FailureClass::kRateLimit;
    if (held_back && step->provider_id.empty()) ++step->not_tried;
    if (step->executed_by == ExecutedBy::kPlanner) {
      return move(r.step, r.outcome == Outcome::kSucceeded ? EffectEvent::kReportedSucceeded
                                                           : EffectEvent::kReportedFailed);
    }
    const bool ambiguous =
        r.outcome == Outcome::kInDoubt ||
        (r.outcome == Outcome::kDeferred && r.failure == FailureClass::kAmbiguous);
    if (ambiguous) step->may_have_run = true;
    static constexpr EffectEvent kEvents[] = {EffectEvent::kSucceeded, EffectEvent::kFailed,
                                              EffectEvent::kNotSent, EffectEvent::kDeferred,
                                              EffectEvent::kDoubted};
    return move(r.step, kEvents[static_cast<size_t>(r.outcome)]);
  }

  Status operator()(const StepProgressed& r) {
    Step* step = find(r.step);
    if (step == nullptr || step->state != EffectState::kIntent || r.attempt != step->attempt) {
      return impossible("progress without intent");
    }
    step->provider_id = r.provider_id;
    return {};
  }

  Status operator()(const StepClosed& r) {
    // An answer that is given up while the other side still computes it.
    if (Step* step = find(r.step); step != nullptr) spend_all(*step);
    switch (r.state) {
      case EffectState::kDenied:
        return move(r.step, EffectEvent::kDenied);
      case EffectState::kFailed:
        return move(r.step, EffectEvent::kExhausted);
      case EffectState::kUnknown:
        return move(r.step, EffectEvent::kErrored);
      case EffectState::kInDoubt:
        return move(r.step, EffectEvent::kDoubted);
      default:
        return impossible("a step closed into a state that is not an end");
    }
  }

  Status operator()(const TimerSet& r) {
    if (!state_.timers.emplace(r.timer, Timer{r.purpose, r.due_ms}).second) {
      return impossible("timer '" + r.timer + "' set twice");
    }
    set_pending(r.timer, r.purpose, true);
    return {};
  }

  Status operator()(const TimerFired& r) {
    if (state_.timers.erase(r.timer) == 0) return impossible("a timer fired that was not set");
    set_pending(r.timer, r.purpose, false);
    if (r.purpose == TimerPurpose::kPlanner) {
      state_.fired.insert(r.timer);
      state_.news_seq = seq_;
    }
    Step* step = r.purpose == TimerPurpose::kRetry ? find(step_of_retry(r.timer)) : nullptr;
    const bool waits = step != nullptr && (step->state == EffectState::kNotSent ||
                                           step->state == EffectState::kDeferred);
    return waits ? move(step_of_retry(r.timer), EffectEvent::kRetryDue) : Status{};
  }

  Status operator()(const TimerCleared& r) {
    if (state_.timers.erase(r.timer) == 0) return impossible("a timer cleared that was not set");
    set_pending(r.timer, r.purpose, false);
    return {};
  }

  Status operator()(const InterruptRequested& r) {
    Interrupt& asked = state_.interrupts[seq_];
    asked.reason = r.reason;
    asked.step = r.step;
    asked.message = r.message;
    asked.needed = r.needed;
    asked.question = r.question;
    asked.requested_ms = at_ms_;
    asked.asking = r.asking;
    if (holds_planner(r.reason)) state_.turn.interrupt_seq = seq_;
    if (r.step.empty()) return {};
    Step* step = find(r.step);
    if (step == nullptr) return impossible("a question about a step that is not open");
    step->interrupt_seq = seq_;
    switch (r.reason) {
      case InterruptReason::kToolApproval:
      case InterruptReason::kPossibleDuplicate:
        return move(r.step, EffectEvent::kAsked);
      case InterruptReason::kUncertainOutcome:
        return move(r.step, EffectEvent::kEscalated);
      case InterruptReason::kQuestion:
        if (step->executed_by == ExecutedBy::kPerson) return move(r.step, EffectEvent::kAsked);
        if (step->state != EffectState::kIntent) return impossible("a question of no running call");
        ++step->questions;
        return {};
      default:
        return {};
    }
  }

  Status operator()(const InterruptReminded& r) {
    const auto found = state_.interrupts.find(r.interrupt_seq);
    if (found == state_.interrupts.end()) return impossible("a reminder without question");
    found->second.reminders = r.reminders;
    return {};
  }

  Status operator()(const InterruptEscalated& r) {
    const auto found = state_.interrupts.find(r.interrupt_seq);
    if (found == state_.interrupts.end()) return impossible("an escalation without question");
    std::vector<std::string>& asked = found->second.asking.assignees;
    for (const std::string& who : r.to) {
      if (std::find(asked.begin(), asked.end(), who) == asked.end()) asked.push_back(who);
    }
    found->second.escalated = true;
    return {};
  }

  Status operator()(const InterruptResolved& r) {
    const auto found = state_.interrupts.find(r.interrupt_seq);
    if (found == state_.interrupts.end()) {
      const bool tolerated = planted(Bug::kDecisionUsedTwice) || planted(Bug::kExpiryAfterDecision);
      return tolerated ? Status{} : impossible("a decision without question");
    }
    const Interrupt interrupt = found->second;
    state_.interrupts.erase(found);
    state_.decided[r.interrupt_seq] = decision_digest(r);
    if (state_.turn.interrupt_seq == r.interrupt_seq) {
      state_.turn.interrupt_seq = 0;
      state_.turn.rejections = 0;
      if (interrupt.reason != InterruptReason::kPlannerFailed) state_.news_seq = seq_;
    }
    const bool approved = r.decision == Decision::kApprove;
    if (approved) raise_limits(r.add);
    if (approved && interrupt.reason == InterruptReason::kAuthRequired) state_.mended_ms = at_ms_;
    Step* step = find(interrupt.step);
    if (step == nullptr) return {};
    if (step->interrupt_seq == r.interrupt_seq) step->interrupt_seq = 0;
    return decide(interrupt, *step, r);
  }

  Status operator()(const CancelRequested& r) {
    if (state_.ending || state_.ended) return impossible("cancelled after its end was decided");
    state_.ending = Ending{TaskStatus::kCancelled, StopReason::kCancelled, r.reason, {}, seq_};
    return {};
  }

  Status operator()(const TaskEnding& r) {
    if (state_.ending || state_.ended) return impossible("two ends");
    state_.ending = Ending{r.status, r.stop_reason, r.message, r.result, seq_};
    return {};
  }

  Status operator()(const TaskEnded& r) {
    if (state_.ended || !state_.open.empty() || !is_terminal(r.status))
      return impossible("a bad end");
    state_.ending.reset();
    state_.ended = Ending{r.status, r.stop_reason, r.message, r.result, seq_};
    return {};
  }

  Status operator()(const TaskAcknowledged&) {
    state_.acknowledged = true;
    return {};
  }

  Status operator()(const AnomalyNoted&) {
    ++state_.anomalies;
    return {};
  }

  Status operator()(const Noted&) { return {}; }

 private:
  Step* find(const StepId& id) {
    const auto found = state_.open.find(id);
    return found == state_.open.end() ? nullptr : &found->second;
  }

  Status move(const StepId& id, EffectEvent event) {
    Step* step = find(id);
    if (step == nullptr) return impossible("step '" + id + "' is not open");
    const auto next = next_state(step->state, event);
    if (!next) {
      return impossible(fmt::format("step '{}' cannot go from {} by event {}", id,
                                    to_string(step->state), static_cast<int>(event)));
    }
    step->state = *next;
    if (is_terminal(*next)) {
      if (step->kind == CallKind::kModel) end_model_call(step->turn, *next);
      state_.open.erase(id);
      state_.closed[id] = {*next, seq_};
      state_.news_seq = seq_;
    }
    return {};
  }

  void spend_all(Step& step) {
    if (step.unpriced && !step.provider_id.empty()) ++state_.unpriced_calls;
    state_.reserved -= step.reserved;
    state_.spent += step.reserved;
    step.reserved = {};
  }

  void settle_usage(Step& step, const StepSettled& r) {
    const bool not_executed = r.outcome == Outcome::kNotSent || r.outcome == Outcome::kDeferred;
    if (not_executed && !step.provider_id.empty()) return;  // it is still computed, and paid for
    Usage used = not_executed ? Usage{} : step.reserved;
    if (r.used) used = *r.used;
    if (step.unpriced && may_have_cost(r)) ++state_.unpriced_calls;
    state_.reserved -= step.reserved;
    state_.spent += used;
    step.reserved = {};
  }

  // A turn is counted once for all its calls, and not if all of them fail.
  void end_model_call(uint64_t number, EffectState end) {
    Turn& turn = state_.turn;
    ModelTurn& asked = turn.asking[number];
    --asked.open;
    if (end != EffectState::kFailed && !asked.counted) {
      asked.counted = true;
      ++turn.model_turns;
    }
    if (asked.open == 0 && number != turn.number) turn.asking.erase(number);
  }

  void set_pending(const TimerId& timer, TimerPurpose purpose, bool pending) {
    if (purpose == TimerPurpose::kReplan) state_.turn.replan_pending = pending;
    if (purpose != TimerPurpose::kRetry) return;
    if (Step* step = find(step_of_retry(timer))) step->retry_pending = pending;
  }

  static StepId step_of_retry(const TimerId& timer) {
    return timer.substr(std::min(timer.size(), kRetryTimerPrefix.size()));
  }

  void raise_limits(const Usage& add) {
    const auto raise = [](int64_t& limit, int64_t by) {
      if (limit != kUnlimited) limit = capped_sum(limit, by);
    };
    raise(state_.limits.cost_micro_usd, add.cost_micro_usd);
    raise(state_.limits.model_calls, add.model_calls);
    raise(state_.limits.tool_calls, add.tool_calls);
  }

  Status decide(const Interrupt& interrupt, Step& step, const InterruptResolved& r) {
    switch (interrupt.reason) {
      case InterruptReason::kToolApproval:
      case InterruptReason::kPossibleDuplicate:
        if (r.decision == Decision::kRespond) return move(interrupt.step, EffectEvent::kAnswered);
        if (r.decision == Decision::kEdit) edit(interrupt.step, step, r);
        // Else the step_closed record follows.
        if (r.decision != Decision::kApprove && r.decision != Decision::kEdit) return {};
        step.decision_seq = seq_;
        if (r.remember) remember(interrupt.step);
        return move(interrupt.step, EffectEvent::kApproved);
      case InterruptReason::kQuestion:
        if (step.executed_by != ExecutedBy::kPerson || r.decision != Decision::kRespond) return {};
        return move(interrupt.step, EffectEvent::kAnswered);
      case InterruptReason::kUncertainOutcome:
        if (r.decision == Decision::kHappened) {
          return move(interrupt.step, EffectEvent::kAssertedHappened);
        }
        return move(interrupt.step, r.decision == Decision::kNotHappened
                                        ? EffectEvent::kAssertedNotHappened
                                        : EffectEvent::kDismissed);
      default:
        return {};
    }
  }

  // The call is another one now: it has another identity, and is the newest that has it.
  void edit(const StepId& id, Step& step, const InterruptResolved& r) {
    if (!planted(Bug::kEditNotSent)) step.args = r.given;
    step.edited = true;
    for (auto& [identity, steps] : state_.wishes) {
      const auto found = std::find(steps.begin(), steps.end(), id);
      if (found == steps.end()) continue;
      steps.erase(found);
      if (steps.empty()) state_.wishes.erase(identity);
      if (!r.identity.is_zero()) state_.wishes[r.identity].push_back(id);
      return;
    }
  }

  void remember(const StepId& step) {
    for (const auto& [identity, steps] : state_.wishes) {
      if (std::find(steps.begin(), steps.end(), step) != steps.end()) {
        state_.remembered.insert(identity);
      }
    }
  }

  TaskState& state_;
  const Seq seq_;
  const int64_t at_ms_;
};

}  // namespace

Sha256 decision_digest(const InterruptResolved& r) {
  InterruptResolved decision = r;
  decision.by.clear();
  decision.identity = {};  // of the arguments, by what the operator says
  std::string bytes;
  BinaryWriter(bytes).put(decision);
  return sha256(bytes);
}

Status evolve(TaskState& state, const Record& record) {
  if (record.seq != state.head + 1) {
    return impossible(fmt::format("record {} after record {}", record.seq, state.head));
  }
  if ((record.seq == 1) != std::holds_alternative<TaskCreated>(record.body)) {
    return impossible("a journal begins with its creation");
  }
  TRY_STATUS(std::visit(Evolver(state, record), record.body));
  state.head = record.seq;
  state.last_ms = std::max(state.last_ms, record.at_ms);
  return {};
}

}  // namespace perdure::core
