#pragma once
// Budgets: what a task may use in its life. A call reserves its most before it is sent and settles
// after.
#include "core/draft.h"

namespace perdure::core {

// Whether the limits allow `needed` beside what is spent and reserved.
bool fits(const TaskState& state, const Usage& needed);

// Whether this step may reserve now. If not, a person is asked once, for the whole task.
bool has_room(Draft& draft, const StepId& id, const Step& step);

}  // namespace perdure::core
