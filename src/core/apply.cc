#include <algorithm>

#include "base/assert.h"
#include "base/hooks.h"
#include "core/decision.h"
#include "core/ending.h"
#include "core/interrupt.h"
#include "core/step.h"
#include "core/task.h"
#include "core/timer.h"
#include "core/turn.h"

namespace perdure::core {
namespace {

// A limit below nothing is nothing; were it kept, an addition could make it "no limit".
Limits sane(Limits limits) {
  for (int64_t* limit :
       {&limits.cost_micro_usd, &limits.model_calls, &limits.tool_calls, &limits.turns}) {
    if (*limit != kUnlimited) *limit = std::max<int64_t>(*limit, 0);
  }
  return limits;
}

void submit(Draft& draft, const Submit& command) {
  draft.recovered() = true;
  draft.append(TaskCreated{command.tenant, command.principal, command.planner, command.agent,
                           command.agent_version, command.metadata, sane(command.limits),
                           command.input, command.session});
  draft.accept();
}

struct Route {
  Draft& draft;
  void operator()(const Submit& c) const { submit(draft, c); }
  void operator()(const AnswerTurn& c) const { answer(draft, c); }
  void operator()(const RejectTurn& c) const { reject(draft, c); }
  void operator()(const SettleStep& c) const { settle(draft, c); }
  void operator()(const NoteProviderId& c) const { note_provider_id(draft, c); }
  void operator()(const FireTimer& c) const { fire(draft, c); }
  void operator()(const Resolve& c) const { resolve(draft, c); }
  void operator()(const Cancel& c) const { cancel(draft, c); }
  void operator()(const Acknowledge& c) const { acknowledge(draft, c); }
  void operator()(const Recover&) const { recover(draft); }
  void operator()(const Ask& c) const { ask_while_running(draft, c); }
  void operator()(const Withdraw& c) const { withdraw_while_running(draft, c); }
};

// What follows from the new state, whatever brought it about.
void advance(Draft& draft) {
  if (draft.state().ended) return;
  advance_steps(draft);
  finish_if_drained(draft);
}

}  // namespace

Applied apply(Task& task, const Command& command, int64_t now_ms, const PeopleRules& people,
              std::string_view secret) {
  const bool first = task.state.head == 0;
  PERDURE_ASSERT(first == std::holds_alternative<Submit>(command), "a task begins with Submit");
  PERDURE_ASSERT(first || task.recovered || std::holds_alternative<Recover>(command),
                 "a task that was read recovers first");
  Draft draft(task, now_ms, people, secret);
  std::visit(Route{draft}, command);
  advance(draft);
  const bool lose =
      hooks::planted(hooks::Bug::kLostWakeUp) && std::holds_alternative<AnswerTurn>(command);
  if (!lose) plan_if_due(draft);
  return std::move(draft).finish();
}

bool is_suspended(const Task& task) {
  if (task.state.ended) return true;
  if (task.plan.open || !task.recovered) return false;
  for (const auto& [id, step] : task.state.open) {
    if (step.state == EffectState::kIntent) return false;
  }
  return true;
}

bool asks_a_person(const TaskState& state) {
  return std::any_of(state.interrupts.begin(), state.interrupts.end(), [&](const auto& asked) {
    return asked.second.reason == InterruptReason::kQuestion &&
           state_of_step(state, asked.second.step) == EffectState::kIntent;
  });
}

}  // namespace perdure::core
