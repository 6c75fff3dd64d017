#pragma once
// Turns: asking the planner, and taking its answer as a whole or not at all.
#include "core/draft.h"

namespace perdure::core {

void answer(Draft& draft, const AnswerTurn& command);
void reject(Draft& draft, const RejectTurn& command);

// Emits Plan when the last turn's await holds and nothing stands in the way.
void plan_if_due(Draft& draft);

}  // namespace perdure::core
