#pragma once
// Durable timers: the planner's, and the engine's own for retries and for asking a planner again.
#include "core/draft.h"

namespace perdure::core {

void set_planner_timer(Draft& draft, const TimerAction& action);
// Due later than what the other side asked for, by the backoff.
void set_retry_timer(Draft& draft, const StepId& id, const Step& step, int64_t retry_after_ms);
void set_replan_timer(Draft& draft);
void clear_retry_timer(Draft& draft, const StepId& id, const Step& step);
// All but those of open questions: a question takes its own along.
void clear_all_timers(Draft& draft);

void fire(Draft& draft, const FireTimer& command);

// Exponential backoff with full jitter, base * 2^(attempt - 1) up to the cap:
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
// The jitter is a hash of the position: the core has no randomness, and a replay waits as long.
int64_t backoff_ms(const TaskId& task, std::string_view what, uint32_t attempt, int64_t base_ms,
                   int64_t cap_ms);

}  // namespace perdure::core
