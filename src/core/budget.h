#pragma once
// Budgets: what a task may use in its life. A call reserves its most before it is sent and settles
// after.
#include <string>
#include <vector>

#include "core/draft.h"

namespace perdure::core {

// Whether the task's limits, with `add` on top, allow `needed` beside what is spent and reserved.
bool fits(const TaskState& state, const Usage& needed, const Usage& add = {});

// What is short, in the words of who has to pay for it.
std::string missing_budget(const TaskState& state, const Usage& needed);

// The steps that could be sent but for the budget, in order. A person is asked about the first,
// once for the whole task; a question whose step is held up no longer is withdrawn.
void ask_for_room(Draft& draft, const std::vector<StepId>& held_up);

}  // namespace perdure::core
