#include "core/budget.h"

#include <fmt/core.h>

#include "core/interrupt.h"

namespace perdure::core {
namespace {

bool under(int64_t limit, int64_t used) {
  return limit == kUnlimited || used <= limit;
}

}  // namespace

bool fits(const TaskState& state, const Usage& needed) {
  Usage total = state.spent;
  total += state.reserved;
  total += needed;
  // A call that uses nothing of a kind is not held up by what others used too much of.
  return (needed.cost_micro_usd == 0 || under(state.limits.cost_micro_usd, total.cost_micro_usd)) &&
         (needed.model_calls == 0 || under(state.limits.model_calls, total.model_calls)) &&
         (needed.tool_calls == 0 || under(state.limits.tool_calls, total.tool_calls));
}

bool has_room(Draft& draft, const StepId& id, const Step& step) {
  if (fits(draft.state(), step.reserve)) return true;
  for (const auto& [seq, interrupt] : draft.state().interrupts) {
    if (interrupt.reason == InterruptReason::kBudgetReached) return false;
  }
  ask_for_budget(draft, id, step);
  return false;
}

}  // namespace perdure::core
