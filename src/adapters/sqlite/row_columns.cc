#include "adapters/sqlite/row_columns.h"

#include "adapters/sqlite/lists.h"
#include "base/hooks.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

// The digest is the last column.
template <class Row>
bool is_whole(Columns& columns, const Row& row, Trust trust) {
  const int64_t digest = columns.integer();
  if (hooks::planted(hooks::Bug::kVerificationSkipped)) return true;
  return trust == Trust::kAsItIs || (columns.ok() && digest == digest_of(row));
}

}  // namespace

TaskRow task_row(Columns& columns, Trust trust) {
  TaskRow row;
  row.id = columns.task();
  row.tenant = columns.bytes();
  row.principal = columns.bytes();
  row.status = columns.word<TaskStatus>();
  row.phase = columns.word<Phase>();
  row.runnable = columns.boolean();
  row.waiting_for = columns.bytes();
  row.planner = columns.bytes();
  row.agent = columns.bytes();
  row.metadata = columns.bytes();
  row.used.cost_micro_usd = columns.integer();
  row.used.model_calls = columns.integer();
  row.used.tool_calls = columns.integer();
  row.used.input_tokens = columns.integer();
  row.used.output_tokens = columns.integer();
  row.created_ms = columns.integer();
  row.updated_ms = columns.integer();
  row.head = columns.natural();
  row.ended_seq = columns.natural();
  row.session = columns.bytes();
  if (is_whole(columns, row, trust)) return row;
  TaskRow damaged;
  damaged.id = row.id;
  damaged.tenant = std::move(row.tenant);
  damaged.damaged = true;
  return damaged;
}

TimerRow timer_row(Columns& columns, Trust trust) {
  TimerRow row;
  row.task = columns.task();
  row.timer = columns.bytes();
  row.due_ms = columns.integer();
  row.damaged = !is_whole(columns, row, trust);
  return row;
}

InterruptRow interrupt_row(Columns& columns, Trust trust) {
  InterruptRow row;
  row.task = columns.task();
  row.seq = columns.natural();
  row.tenant = columns.bytes();
  row.reason = columns.word<InterruptReason>();
  row.created_ms = columns.integer();
  const bool read = unpack(columns.bytes(), row.assignees);
  row.shown = columns.bytes();
  if (is_whole(columns, row, trust) && read) return row;
  InterruptRow damaged;
  damaged.task = row.task;
  damaged.seq = row.seq;
  damaged.tenant = std::move(row.tenant);
  damaged.damaged = true;
  return damaged;
}

KeptRow kept_row(Columns& columns, Trust trust) {
  KeptRow row;
  row.kind = columns.bytes();
  row.tenant = columns.bytes();
  row.name = columns.bytes();
  row.value = columns.bytes();
  if (is_whole(columns, row, trust)) return row;
  row.damaged = true;
  row.value.clear();
  return row;
}

}  // namespace perdure
