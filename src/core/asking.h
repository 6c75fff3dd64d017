#pragma once
// What becomes of a question while nobody answers it: reminders, escalation, expiry. One timer of a
// question at a time, for whatever comes next.
#include "core/draft.h"

namespace perdure::core {

// What the operator says about a question like this, as far as it fits: approving in silence what
// must not happen twice is taken for rejecting, unless the tool's own table says it.
Asking asking_for(const Draft& draft, InterruptReason reason, const StepId& step);

void set_ask_timer(Draft& draft, Seq interrupt_seq);
void clear_ask_timer(Draft& draft, Seq interrupt_seq);
// The timer has fired: does what is due, and sets the next.
void look_after(Draft& draft, const TimerId& timer);

bool is_expired(const Interrupt& interrupt, int64_t now_ms);

}  // namespace perdure::core
