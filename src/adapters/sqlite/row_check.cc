#include "adapters/sqlite/row_check.h"

#include <fmt/core.h>

#include "adapters/sqlite/meta.h"
#include "adapters/sqlite/row_columns.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

constexpr const char* kIdempotency =
    "SELECT n, hash, request_hash, task.id, idempotency.created_ms, idempotency.digest FROM "
    "idempotency LEFT JOIN task ON task.key = idempotency.task";
// With what the newest frame of each task says, and what the head of its row says.
constexpr const char* kHeads = R"(
SELECT task.id, task.status, task.ended_seq, head.seq, head.chain,
  frame.first_seq + frame.count - 1, frame.chain
FROM task LEFT JOIN head ON head.task = task.key
LEFT JOIN frame ON frame.task = task.key AND frame.first_seq =
  (SELECT max(first_seq) FROM frame WHERE frame.task = task.key))";
constexpr const char* kHeadsOfNobody =
    "SELECT task FROM head WHERE task <> 0 AND task NOT IN (SELECT key FROM task)";

constexpr const char* kNotWritten = "is not what was written";

// Calls `use` with the columns of each row.
template <class Use>
Status each(Database& database, const std::string& select, Use use) {
  TRY_ASSIGN(Statement rows, Statement::prepare(database, select));
  for (;;) {
    TRY_ASSIGN(const bool row, rows.step());
    if (!row) return {};
    Columns columns(rows);
    use(columns);
  }
}

void check_idempotency(Columns& columns, const RowProblem& problem) {
  const int64_t n = columns.integer();
  const std::string hash = columns.bytes();
  IdempotencyRow row;
  row.request_hash = columns.hash();
  const bool known = !columns.is_null();
  row.task = columns.task();
  row.created_ms = columns.integer();
  const int64_t digest = columns.integer();
  if (columns.ok() && digest == digest_of(row, hash)) return;
  const std::string whose = known ? "task " + row.task.to_string() : "a task that is not known";
  problem(std::nullopt,
          fmt::format("the idempotency row {} of {} {}: its key is lost", n, whose, kNotWritten));
}

void check_head(Columns& columns, const RowProblem& problem) {
  const TaskId id = columns.task();
  const auto status = columns.word<TaskStatus>();
  const Seq ended_seq = columns.natural();
  const bool is_open = !is_terminal(status) && ended_seq == 0;
  if (!columns.ok()) return;  // the row of the task is named
  const std::string journal = "journal of " + id.to_string();
  if (columns.is_null()) {
    if (is_open) problem(id, journal + ": the row that says where it ends is missing");
    return;
  }
  if (!is_open) {
    problem(id, journal + ": it has a row for its end, as only open tasks have");
    return;
  }
  const int64_t seq = columns.integer();
  const int64_t chain = columns.integer();
  if (columns.is_null()) return;  // there is no frame
  const int64_t newest = columns.integer();
  if (seq == newest && chain == short_chain(columns.hash()) && columns.ok()) return;
  problem(id, fmt::format("{}: its newest frame ends at record {}, which is not the end that was "
                          "written ({})",
                          journal, newest, seq));
}

}  // namespace

Status check_row_digests(Database& database, const RowProblem& problem) {
  TRY_STATUS(each(database, kSelectTasks, [&](Columns& columns) {
    const TaskRow row = task_row(columns);
    if (!row.damaged) return;
    problem(row.id, fmt::format("the row of task {} {}", row.id.to_string(), kNotWritten));
  }));
  TRY_STATUS(each(database, kSelectTimers, [&](Columns& columns) {
    const TimerRow row = timer_row(columns);
    if (!row.damaged) return;
    problem(row.task, fmt::format("the row of timer '{}' of task {} {}", row.timer,
                                  row.task.to_string(), kNotWritten));
  }));
  TRY_STATUS(each(database, kSelectInterrupts, [&](Columns& columns) {
    const InterruptRow row = interrupt_row(columns);
    if (!row.damaged) return;
    problem(row.task, fmt::format("the row of the question {} {}",
                                  InterruptId{row.task, row.seq}.to_string(), kNotWritten));
  }));
  TRY_STATUS(each(database, kSelectKept, [&](Columns& columns) {
    const KeptRow row = kept_row(columns);
    if (!row.damaged) return;
    problem(std::nullopt, fmt::format("the row of {} '{}' of tenant '{}' {}", row.kind, row.name,
                                      row.tenant, kNotWritten));
  }));
  return each(database, kIdempotency,
              [&](Columns& columns) { check_idempotency(columns, problem); });
}

Status check_heads(Database& database, const RowProblem& problem) {
  TRY_STATUS(each(database, kHeads, [&](Columns& columns) { check_head(columns, problem); }));
  TRY_STATUS(each(database, kHeadsOfNobody, [&](Columns& columns) {
    problem(std::nullopt,
            fmt::format("the end of a journal without its task: key {}", columns.integer()));
  }));
  if (const Status mark = check_mark(database); !mark) problem(std::nullopt, mark.error().message);
  return {};
}

Status check_store_meta(Database& database, const RowProblem& problem) {
  const auto meta = read_meta(database);
  if (!meta) {
    problem(std::nullopt, meta.error().message);
    return {};
  }
  if (meta->one_secret) {
    problem(std::nullopt, "one of the two copies of the secret of the store is damaged");
  }
  if (meta->is_guessed) {
    problem(std::nullopt, "how often the store was opened (`meta`.incarnation) is damaged");
  }
  return {};
}

}  // namespace perdure
