#pragma once
// Questions to people, and their decisions. The first durable decision wins.
#include "core/draft.h"

namespace perdure::core {

void ask_for_approval(Draft& draft, const StepId& step);
void ask_about_duplicate(Draft& draft, const StepId& step, const StepId& earlier);
void ask_about_doubt(Draft& draft, const StepId& id, const Step& step);
void ask_for_budget(Draft& draft, const StepId& id, const Step& step);
void ask_about_planner(Draft& draft, const std::string& reason);

void resolve(Draft& draft, const Resolve& command);

// The question has lost its point.
void withdraw(Draft& draft, Seq interrupt_seq);
// The task ends: of all questions, only the doubts remain.
void withdraw_all_but_doubts(Draft& draft);

// What may be decided about a question.
std::vector<Decision> allowed_decisions(InterruptReason reason);

}  // namespace perdure::core
