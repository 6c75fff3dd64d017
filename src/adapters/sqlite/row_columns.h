#pragma once
// Rows as their columns give them. A row whose digest does not fit, or whose columns have another
// type than was written, is marked as damaged, and keeps its ids and no more.
#include <string>

#include "adapters/sqlite/database.h"
#include "ports/store.h"

namespace perdure {

// What a row is read from, and whole statements to be followed by a condition.
inline constexpr char kTaskColumns[] =
    "SELECT task.id, tenant.name, principal, status, phase, runnable, waiting_for, planner, "
    "agent, metadata, cost_micro_usd, model_calls, tool_calls, input_tokens, output_tokens, "
    "created_ms, updated_ms, head, ended_seq, session, task.digest ";
inline constexpr char kInterruptColumns[] =
    "SELECT interrupt.task, interrupt.seq, tenant.name, reason, created_ms, assignees, shown, "
    "digest ";
inline const std::string kSelectTasks =
    std::string(kTaskColumns) + "FROM task LEFT JOIN tenant ON tenant.key = task.tenant ";
inline const std::string kSelectInterrupts =
    std::string(kInterruptColumns) +
    "FROM interrupt LEFT JOIN tenant ON tenant.key = interrupt.tenant ";
inline constexpr char kSelectTimers[] = "SELECT task, name, due_ms, digest FROM timer ";
inline constexpr char kSelectKept[] = "SELECT kind, tenant, name, value, digest FROM kept ";

enum class Trust : bool {
  kAsItIs,  // the digest is not looked at: it is not there yet
  kDigest,
};

// Of the statements above.
TaskRow task_row(Columns& columns, Trust trust = Trust::kDigest);
TimerRow timer_row(Columns& columns, Trust trust = Trust::kDigest);
InterruptRow interrupt_row(Columns& columns, Trust trust = Trust::kDigest);
KeptRow kept_row(Columns& columns, Trust trust = Trust::kDigest);

}  // namespace perdure
