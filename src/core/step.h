#pragma once
// Steps: from plan to outcome.
#include "core/draft.h"

namespace perdure::core {

// A call of an accepted turn.
void plan_call(Draft& draft, const CallAction& call, bool guarded);
// A step of an accepted turn that a person does.
void plan_question(Draft& draft, const AskAction& ask);

void settle(Draft& draft, const SettleStep& outcome);

// The name under which the other side works on. Kept while its answer can still be fetched.
void note_provider_id(Draft& draft, const NoteProviderId& command);

// After a restart: an answer that has a name at its provider is fetched; every other open intent is
// in doubt. Nothing in a task that lives.
void recover(Draft& draft);

// Sends what is ready, resends or asks about what is in doubt, asks for what the budget holds up.
void advance_steps(Draft& draft);

// The task is ending: nothing new is sent; what was sent keeps waiting for its outcome.
void close_unsent(Draft& draft, const std::string& reason);

}  // namespace perdure::core
