#pragma once
// Questions to people.
#include "core/draft.h"

namespace perdure::core {

// `reason`: of the policy, may be empty.
void ask_for_approval(Draft& draft, const StepId& step, const std::string& reason);
void ask_about_duplicate(Draft& draft, const StepId& step, const StepId& earlier);
void ask_about_doubt(Draft& draft, const StepId& id, const Step& step);
void ask_for_budget(Draft& draft, const StepId& id, const Step& step);
void ask_about_planner(Draft& draft, const std::string& reason);

// The planner cannot go on alone.
void ask_for_planner(Draft& draft, InterruptReason reason, const std::string& message);
// The step is a question itself.
void ask_question(Draft& draft, const StepId& step, const std::string& message);
// A call that runs asks; the answer goes to its executor.
void ask_while_running(Draft& draft, const Ask& command);

}  // namespace perdure::core
