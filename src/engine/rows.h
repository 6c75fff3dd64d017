#pragma once
// The rows that a commit writes beside a task's frame: what the records changed, so that the task
// can be found.
#include <span>

#include "base/json.h"
#include "engine/live.h"
#include "ports/store.h"

namespace perdure::engine {

// Adds to `batch` what `records`, now part of the state, changed. `pos`-less: rows only, no frame.
void add_rows(Batch& batch, Live& live, std::span<const Record> records);

TaskRow row_of(const core::Task& task);

// Whether the rows of a task that is not in memory say what its journal says. What a row had only
// as of its last change (usage, the newest record) is not looked at.
Status check_rows(const core::TaskState& state, const TaskRows& rows);

// What a task waits for: [{"kind": "interrupt" | "timer", ...}].
json::array waits_of(const core::TaskState& state);

}  // namespace perdure::engine
