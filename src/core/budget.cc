#include "core/budget.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "core/decision.h"
#include "core/interrupt.h"

namespace perdure::core {
namespace {

bool under(int64_t limit, int64_t add, int64_t used) {
  return limit == kUnlimited || used <= capped_sum(limit, add);
}

// The open question about the budget: its number, or 0.
Seq open_question(const TaskState& state) {
  for (const auto& [seq, interrupt] : state.interrupts) {
    if (interrupt.reason == InterruptReason::kBudgetReached) return seq;
  }
  return 0;
}

}  // namespace

bool fits(const TaskState& state, const Usage& needed, const Usage& add) {
  const Limits& limits = state.limits;
  Usage total = state.spent;
  total += state.reserved;
  total += needed;
  // A call that uses nothing of a kind is not held up by what others used too much of.
  return (needed.cost_micro_usd == 0 ||
          under(limits.cost_micro_usd, add.cost_micro_usd, total.cost_micro_usd)) &&
         (needed.model_calls == 0 ||
          under(limits.model_calls, add.model_calls, total.model_calls)) &&
         (needed.tool_calls == 0 || under(limits.tool_calls, add.tool_calls, total.tool_calls));
}

std::string missing_budget(const TaskState& state, const Usage& needed) {
  std::string missing;
  const auto look = [&](int64_t limit, int64_t spent, int64_t more, auto&& text) {
    if (more == 0 || limit == kUnlimited || capped_sum(spent, more) <= limit) return;
    missing += fmt::format("{}{} of {} are spent or set aside, and the next call needs {}",
                           missing.empty() ? "" : "; ", text(spent), text(limit), text(more));
  };
  const auto calls_of = [](std::string_view kind) {
    return [kind](int64_t count) { return fmt::format("{} {} calls", count, kind); };
  };
  Usage spent = state.spent;
  spent += state.reserved;
  const Limits& limits = state.limits;
  look(limits.cost_micro_usd, spent.cost_micro_usd, needed.cost_micro_usd, usd_text);
  look(limits.model_calls, spent.model_calls, needed.model_calls, calls_of("model"));
  look(limits.tool_calls, spent.tool_calls, needed.tool_calls, calls_of("tool"));
  return missing;
}

void ask_for_room(Draft& draft, const std::vector<StepId>& held_up) {
  const TaskState& state = draft.state();
  if (const Seq asked = open_question(state); asked != 0) {
    const StepId& step = state.interrupts.at(asked).step;
    if (std::find(held_up.begin(), held_up.end(), step) != held_up.end()) return;
    withdraw(draft, asked);
  }
  if (held_up.empty()) return;
  const StepId& first = held_up.front();
  ask_for_budget(draft, first, state.open.at(first));
}

}  // namespace perdure::core
