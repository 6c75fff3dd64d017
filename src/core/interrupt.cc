#include "core/interrupt.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.h"
#include "core/budget.h"
#include "core/ending.h"
#include "core/evolve.h"
#include "core/wish.h"

namespace perdure::core {
namespace {

void ask(Draft& draft, InterruptReason reason, const StepId& step, std::string message,
         const Usage& needed = {}) {
  draft.append(InterruptRequested{reason, step, std::move(message), needed});
}

std::string missing_budget(const TaskState& state, const Usage& needed) {
  return fmt::format(
      "the next call needs {} micro-USD, {} model calls, {} tool calls; spent {} of {}, {} of {}, "
      "{} of {} (-1: no limit)",
      needed.cost_micro_usd, needed.model_calls, needed.tool_calls, state.spent.cost_micro_usd,
      state.limits.cost_micro_usd, state.spent.model_calls, state.limits.model_calls,
      state.spent.tool_calls, state.limits.tool_calls);
}

InterruptResolved record_of(const Resolve& command) {
  return {command.interrupt_seq, command.decision, command.by,    command.message,
          command.remember,      command.add,      command.result};
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
  if (command.result.exists() && command.decision != Decision::kHappened) {
    return Error{Code::kInvalid, "'result' goes with 'happened'"};
  }
  return std::nullopt;
}

// Why this decision cannot be taken on this question, or nothing.
std::optional<Error> objection(const TaskState& state, const Interrupt& interrupt,
                               const Resolve& command) {
  const auto allowed = allowed_decisions(interrupt.reason);
  if (std::find(allowed.begin(), allowed.end(), command.decision) == allowed.end()) {
    std::string names;
    for (const Decision decision : allowed) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", to_string(decision));
    }
    return Error{Code::kInvalid,
                 fmt::format("'{}' is not an answer to {}; one of: {}", to_string(command.decision),
                             to_string(interrupt.reason), names)};
  }
  const auto step = state.open.find(interrupt.step);
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

std::string rejection(const Resolve& command) {
  return "rejected by " + command.by + (command.message.empty() ? "" : ": " + command.message);
}

void deny_duplicate(Draft& draft, const StepId& step, const Resolve& command) {
  StepId earlier = outcome_for(draft.state(), step);
  std::string reason =
      earlier.empty() ? rejection(command) : "the same call was made before; its outcome stands";
  draft.append(StepClosed{step, EffectState::kDenied, std::move(reason), std::move(earlier)});
}

void follow(Draft& draft, const Interrupt& interrupt, const Resolve& command) {
  const bool rejected = command.decision == Decision::kReject;
  switch (interrupt.reason) {
    case InterruptReason::kToolApproval:
      if (rejected) {
        draft.append(StepClosed{interrupt.step, EffectState::kDenied, rejection(command), {}});
      }
      break;
    case InterruptReason::kPossibleDuplicate:
      if (rejected) deny_duplicate(draft, interrupt.step, command);
      break;
    case InterruptReason::kBudgetReached:
      if (rejected)
        end_task(draft, {TaskStatus::kFailed, StopReason::kBudget, interrupt.message, {}, 0});
      break;
    case InterruptReason::kPlannerFailed:
      if (rejected) {
        end_task(draft,
                 {TaskStatus::kFailed, StopReason::kPlannerFailed, interrupt.message, {}, 0});
      }
      break;
    default:
      break;
  }
}

}  // namespace

std::vector<Decision> allowed_decisions(InterruptReason reason) {
  if (reason == InterruptReason::kUncertainOutcome) {
    return {Decision::kHappened, Decision::kNotHappened, Decision::kDismiss};
  }
  return {Decision::kApprove, Decision::kReject};
}

void ask_for_approval(Draft& draft, const StepId& step) {
  ask(draft, InterruptReason::kToolApproval, step,
      fmt::format("may '{}' be called?", draft.state().open.at(step).name));
}

void ask_about_duplicate(Draft& draft, const StepId& step, const StepId& earlier) {
  ask(draft, InterruptReason::kPossibleDuplicate, step,
      fmt::format("'{}' was called before for the same thing (step {}, {}); again?",
                  draft.state().open.at(step).name, earlier,
                  to_string(*state_of_step(draft.state(), earlier))));
}

void ask_about_doubt(Draft& draft, const StepId& id, const Step& step) {
  ask(draft, InterruptReason::kUncertainOutcome, id,
      fmt::format("'{}' was sent {} time(s) and no answer is known: did it happen?", step.name,
                  step.attempt));
}

void ask_for_budget(Draft& draft, const StepId& id, const Step& step) {
  ask(draft, InterruptReason::kBudgetReached, id, missing_budget(draft.state(), step.reserve),
      step.reserve);
}

void ask_about_planner(Draft& draft, const std::string& reason) {
  ask(draft, InterruptReason::kPlannerFailed, {},
      fmt::format("turn {} failed {} times, last: {}", draft.state().turn.number + 1,
                  draft.state().turn.rejections, reason));
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
    return draft.refuse(Code::kConflict, "this was decided before, otherwise");
  }
  const auto found = state.interrupts.find(command.interrupt_seq);
  if (found == state.interrupts.end()) {
    return draft.refuse(Code::kNotFound, "this task asks no such question");
  }
  const Interrupt interrupt = found->second;
  if (auto error = objection(state, interrupt, command)) {
    return draft.refuse(error->code, std::move(error->message));
  }
  draft.append(record_of(command));
  follow(draft, interrupt, command);
  draft.accept();
}

void withdraw(Draft& draft, Seq interrupt_seq) {
  draft.append(InterruptResolved{interrupt_seq, Decision::kWithdrawn, {}, {}, false, {}, {}});
}

void withdraw_all_but_doubts(Draft& draft) {
  std::vector<Seq> pointless;
  for (const auto& [seq, interrupt] : draft.state().interrupts) {
    if (interrupt.reason != InterruptReason::kUncertainOutcome) pointless.push_back(seq);
  }
  for (const Seq seq : pointless) withdraw(draft, seq);
}

}  // namespace perdure::core
