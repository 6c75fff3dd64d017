#pragma once
// The end of a task. A terminal state never changes, and is not reached before every intent has its
// outcome and every doubt is resolved.
#include "core/draft.h"

namespace perdure::core {

// Ends the task, at once if nothing that was sent is open; otherwise the end is recorded and waits.
void end_task(Draft& draft, const Ending& ending);

void cancel(Draft& draft, const Cancel& command);
void acknowledge(Draft& draft, const Acknowledge& command);

// Writes the terminal record when the decided end waits for nothing more.
void finish_if_drained(Draft& draft);

}  // namespace perdure::core
