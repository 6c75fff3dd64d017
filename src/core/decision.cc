#include "core/decision.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.h"
#include "base/json.h"
#include "core/asking.h"
#include "core/budget.h"
#include "core/ending.h"
#include "core/evolve.h"
#include "core/interrupt.h"
#include "core/wish.h"

namespace perdure::core {
namespace {

InterruptResolved record_of(const Resolve& command) {
  return {command.interrupt_seq, command.decision, command.by, command.message, command.remember,
          command.add,           command.given,    false,      command.identity};
}

bool takes_away(const Usage& add) {
  return std::min({add.cost_micro_usd, add.model_calls, add.tool_calls, add.input_tokens,
                   add.output_tokens}) < 0;
}

// What the decision carries would have no effect on this question.
std::optional<Error> misfit_of(const Interrupt& interrupt, const Resolve& command) {
  const bool approves = command.decision == Decision::kApprove;
  const bool of_budget = approves && interrupt.reason == InterruptReason::kBudgetReached;
  const bool of_duplicate = approves && interrupt.reason == InterruptReason::kPossibleDuplicate;
  if (command.add != Usage{} && !of_budget) {
    return Error{Code::kInvalid, "'add' goes with approving budget_reached"};
  }
  if (command.remember && !of_duplicate) {
    return Error{Code::kInvalid, "'remember' goes with approving possible_duplicate"};
  }
  const bool gives = command.decision == Decision::kEdit || command.decision == Decision::kRespond;
  if (gives && !command.given.exists()) {
    return Error{Code::kInvalid, "an edit has arguments, and a response an answer"};
  }
  if (command.given.exists() && !gives && command.decision != Decision::kHappened) {
    return Error{Code::kInvalid, "nothing is given with this decision"};
  }
  return std::nullopt;
}

// Why this decision cannot be taken on this question, or nothing.
std::optional<Error> objection(const TaskState& state, const Interrupt& interrupt,
                               const Resolve& command) {
  const auto step = state.open.find(interrupt.step);
  const CallKind kind = step == state.open.end() ? CallKind::kTool : step->second.kind;
  const auto allowed = allowed_decisions(interrupt.reason, kind);
  if (std::find(allowed.begin(), allowed.end(), command.decision) == allowed.end()) {
    std::string names;
    for (const Decision decision : allowed) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", to_string(decision));
    }
    return Error{Code::kInvalid,
                 fmt::format("'{}' is not an answer to {}; one of: {}", to_string(command.decision),
                             to_string(interrupt.reason), names)};
  }
  if (command.args_hash && step != state.open.end() &&
      *command.args_hash != step->second.args.hash) {
    return Error{Code::kConflict, "the arguments are not those that were asked about"};
  }
  if (auto misfit = misfit_of(interrupt, command)) return misfit;
  if (takes_away(command.add)) return Error{Code::kInvalid, "what is added is negative"};
  if (interrupt.reason == InterruptReason::kBudgetReached &&
      command.decision == Decision::kApprove && !fits(state, interrupt.needed, command.add)) {
    return Error{Code::kInvalid,
                 "the added budget is too small: " + missing_budget(state, interrupt.needed)};
  }
  return std::nullopt;
}

std::string rejection(const InterruptResolved& decision) {
  if (decision.expired) return "nobody decided in time";
  return "rejected by " + decision.by + (decision.message.empty() ? "" : ": " + decision.message);
}

void deny(Draft& draft, const StepId& step, const InterruptResolved& decision) {
  draft.append(StepClosed{step, EffectState::kDenied, rejection(decision), {}});
}

void deny_duplicate(Draft& draft, const StepId& step, const InterruptResolved& decision) {
  StepId earlier = outcome_for(draft.state(), step);
  if (earlier.empty()) return deny(draft, step, decision);
  draft.append(StepClosed{step, EffectState::kDenied,
                          "the same call was made before; its outcome stands", std::move(earlier)});
}

void fail_task(Draft& draft, StopReason reason, const std::string& message) {
  if (draft.state().ending || draft.state().ended) return;
  end_task(draft, {TaskStatus::kFailed, reason, message, {}, 0});
}

StopReason stop_reason_of(InterruptReason reason) {
  switch (reason) {
    case InterruptReason::kBudgetReached:
      return StopReason::kBudget;
    case InterruptReason::kPlannerFailed:
      return StopReason::kPlannerFailed;
    case InterruptReason::kProviderRefusal:
      return StopReason::kRefusal;
    default:
      return StopReason::kError;
  }
}

bool is_to_fail(const Interrupt& interrupt, const InterruptResolved& decision) {
  return decision.expired && interrupt.asking.on_expire == OnExpire::kFail;
}

void reject(Draft& draft, const Interrupt& interrupt, const InterruptResolved& decision) {
  switch (interrupt.reason) {
    case InterruptReason::kToolApproval:
      return deny(draft, interrupt.step, decision);
    case InterruptReason::kPossibleDuplicate:
      return deny_duplicate(draft, interrupt.step, decision);
    case InterruptReason::kQuestion:
      if (state_of_step(draft.state(), interrupt.step) == EffectState::kAwaitingApproval) {
        deny(draft, interrupt.step, decision);
      }
      return;
    default:  // the task cannot go on; if it was to fail for want of an answer, it says so instead
      if (!is_to_fail(interrupt, decision)) {
        fail_task(draft, stop_reason_of(interrupt.reason), interrupt.message);
      }
  }
}

bool is_running(const Draft& draft, const StepId& step) {
  return state_of_step(draft.state(), step) == EffectState::kIntent;
}

// Records what was decided, by whomever, and does what follows.
void conclude(Draft& draft, InterruptResolved decision) {
  const Interrupt interrupt = draft.state().interrupts.at(decision.interrupt_seq);
  clear_ask_timer(draft, decision.interrupt_seq);
  draft.append(decision);
  if (interrupt.reason == InterruptReason::kQuestion && is_running(draft, interrupt.step)) {
    // A no that nobody has said is none.
    const bool unsaid = decision.expired && decision.decision == Decision::kReject;
    draft.emit(Answered{interrupt.step, decision.interrupt_seq,
                        unsaid ? Decision::kWithdrawn : decision.decision, decision.given});
  }
  if (decision.decision == Decision::kReject) reject(draft, interrupt, decision);
  if (decision.decision != Decision::kEdit) return;
  if (const auto earlier = standing_before(draft.state(), interrupt.step)) {
    ask_about_duplicate(draft, interrupt.step, *earlier);
  }
}

Decision decision_of(OnExpire on_expire, InterruptReason reason) {
  switch (on_expire) {
    case OnExpire::kApprove:
      return Decision::kApprove;
    case OnExpire::kRespond:
      return Decision::kRespond;
    case OnExpire::kDismiss:
      return Decision::kDismiss;
    default:
      return reason == InterruptReason::kUncertainOutcome ? Decision::kDismiss : Decision::kReject;
  }
}

InterruptResolved default_of(Seq seq, const Interrupt& interrupt) {
  InterruptResolved decision;
  decision.interrupt_seq = seq;
  decision.decision = decision_of(interrupt.asking.on_expire, interrupt.reason);
  decision.expired = true;
  if (decision.decision == Decision::kRespond) {
    decision.given = Payload::of(to_canonical_json(json::value(interrupt.asking.respond_with)));
  }
  return decision;
}

}  // namespace

std::vector<Decision> allowed_decisions(InterruptReason reason, CallKind kind) {
  switch (reason) {
    case InterruptReason::kUncertainOutcome:
      return {Decision::kHappened, Decision::kNotHappened, Decision::kDismiss};
    case InterruptReason::kQuestion:
      return {Decision::kRespond, Decision::kReject};
    case InterruptReason::kToolApproval:
    case InterruptReason::kPossibleDuplicate:
      if (kind == CallKind::kModel) break;
      return {Decision::kApprove, Decision::kEdit, Decision::kReject, Decision::kRespond};
    default:
      break;
  }
  return {Decision::kApprove, Decision::kReject};
}

void withdraw_while_running(Draft& draft, const Withdraw& command) {
  const auto step = draft.state().open.find(command.step);
  const bool asks = step != draft.state().open.end() &&
                    step->second.state == EffectState::kIntent &&
                    step->second.attempt == command.attempt && step->second.interrupt_seq != 0;
  if (asks) withdraw(draft, step->second.interrupt_seq);
  draft.accept(!asks);  // it was answered, or the call ended, a moment before
}

void resolve(Draft& draft, const Resolve& command) {
  const TaskState& state = draft.state();
  if (const auto decided = state.decided.find(command.interrupt_seq);
      decided != state.decided.end()) {
    if (hooks::planted(hooks::Bug::kDecisionUsedTwice)) {
      draft.append(record_of(command));
      return draft.accept();
    }
    if (decided->second == decision_digest(record_of(command))) return draft.accept(true);
    return draft.refuse(Code::kConflict,
                        "this was decided before, otherwise; the first one stands");
  }
  const auto found = state.interrupts.find(command.interrupt_seq);
  if (found == state.interrupts.end()) {
    return draft.refuse(Code::kNotFound, "this task asks no such question");
  }
  const Interrupt& interrupt = found->second;
  // Its timer may be late; the decision is late all the same.
  if (is_expired(interrupt, draft.now_ms()) && !hooks::planted(hooks::Bug::kDecisionAfterExpiry)) {
    expire(draft, command.interrupt_seq);
    return draft.refuse(Code::kConflict,
                        "the question has expired, and what was declared for "
                        "that case stands");
  }
  if (auto error = objection(state, interrupt, command)) {
    return draft.refuse(error->code, std::move(error->message));
  }
  conclude(draft, record_of(command));
  draft.accept();
}

void expire(Draft& draft, Seq interrupt_seq) {
  const Interrupt interrupt = draft.state().interrupts.at(interrupt_seq);
  const InterruptResolved decision = default_of(interrupt_seq, interrupt);
  conclude(draft, decision);
  if (is_to_fail(interrupt, decision)) {
    fail_task(draft, StopReason::kExpired, "nobody answered in time: " + interrupt.message);
  }
}

void expire_anyway(Draft& draft, Seq interrupt_seq) {
  draft.append(default_of(interrupt_seq, {}));
}

void withdraw(Draft& draft, Seq interrupt_seq) {
  InterruptResolved withdrawn;
  withdrawn.interrupt_seq = interrupt_seq;
  conclude(draft, std::move(withdrawn));
}

void withdraw_all_but_doubts(Draft& draft) {
  std::vector<Seq> pointless;
  for (const auto& [seq, interrupt] : draft.state().interrupts) {
    if (interrupt.reason != InterruptReason::kUncertainOutcome) pointless.push_back(seq);
  }
  for (const Seq seq : pointless) withdraw(draft, seq);
}

}  // namespace perdure::core
