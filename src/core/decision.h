#pragma once
// What people decide about questions, and what follows. The first durable decision wins.
#include "core/draft.h"

namespace perdure::core {

void resolve(Draft& draft, const Resolve& command);

// Nobody has decided in time: what was declared for that case stands.
void expire(Draft& draft, Seq interrupt_seq);
// Planted bug only: of a question that was decided.
void expire_anyway(Draft& draft, Seq interrupt_seq);

// The question has lost its point.
void withdraw(Draft& draft, Seq interrupt_seq);
void withdraw_while_running(Draft& draft, const Withdraw& command);
// The task ends: of all questions, only the doubts remain.
void withdraw_all_but_doubts(Draft& draft);

// What may be decided about a question about a call of this kind.
std::vector<Decision> allowed_decisions(InterruptReason reason, CallKind kind = CallKind::kTool);

}  // namespace perdure::core
