#pragma once
// Questions to people, and their decisions. The first durable decision wins.
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
void withdraw_while_running(Draft& draft, const Withdraw& command);

void resolve(Draft& draft, const Resolve& command);

// Nobody has decided in time: what was declared for that case stands.
void expire(Draft& draft, Seq interrupt_seq);
// Planted bug only: of a question that was decided.
void expire_anyway(Draft& draft, Seq interrupt_seq);

// The question has lost its point.
void withdraw(Draft& draft, Seq interrupt_seq);
// The task ends: of all questions, only the doubts remain.
void withdraw_all_but_doubts(Draft& draft);

// What may be decided about a question about a call of this kind.
std::vector<Decision> allowed_decisions(InterruptReason reason, CallKind kind = CallKind::kTool);

}  // namespace perdure::core
