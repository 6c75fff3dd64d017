#include "core/interrupt.h"

#include <fmt/core.h>

#include "core/asking.h"
#include "core/budget.h"

namespace perdure::core {
namespace {

Seq ask(Draft& draft, InterruptReason reason, const StepId& step, std::string message,
        const Usage& needed = {}, Payload question = {}) {
  Asking asking = asking_for(draft, reason, step);
  const Seq seq = draft.append(InterruptRequested{reason, step, std::move(message), needed,
                                                  std::move(asking), std::move(question)});
  set_ask_timer(draft, seq);
  return seq;
}

}  // namespace

void ask_for_approval(Draft& draft, const StepId& step, const std::string& reason) {
  ask(draft, InterruptReason::kToolApproval, step,
      fmt::format("may '{}' be called?{}{}", draft.state().open.at(step).name,
                  reason.empty() ? "" : " ", reason));
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

void ask_for_planner(Draft& draft, InterruptReason reason, const std::string& message) {
  ask(draft, reason, {}, message);
}

void ask_question(Draft& draft, const StepId& step, const std::string& message) {
  ask(draft, InterruptReason::kQuestion, step, message);
}

void ask_while_running(Draft& draft, const Ask& command) {
  const TaskState& state = draft.state();
  const auto step = state.open.find(command.step);
  const bool runs = step != state.open.end() && step->second.state == EffectState::kIntent &&
                    step->second.attempt == command.attempt && !state.ending;
  if (!runs) return draft.refuse(Code::kConflict, "the call that asks is not wanted any more");
  if (step->second.interrupt_seq != 0) {
    return draft.refuse(Code::kConflict, "a question of this call is open; one at a time");
  }
  if (step->second.questions >= kQuestionsMax) {
    return draft.refuse(Code::kExhausted,
                        fmt::format("a call asks at most {} questions", kQuestionsMax));
  }
  if (command.message.empty() || command.message.size() > kQuestionMaxBytes) {
    return draft.refuse(Code::kInvalid,
                        fmt::format("a question has 1 to {} bytes", kQuestionMaxBytes));
  }
  draft.accept_question(
      ask(draft, InterruptReason::kQuestion, command.step, command.message, {}, command.question));
}

}  // namespace perdure::core
