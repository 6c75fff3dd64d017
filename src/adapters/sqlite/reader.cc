#include "adapters/sqlite/reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "adapters/sqlite/row_columns.h"
#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/snapshot.h"
#include "adapters/sqlite/vfs.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

// Conditions behind kSelectTasks.
constexpr const char* kOneTask = "WHERE task.id = ?";
constexpr const char* kTasks =
    "WHERE task.tenant = ?1 AND task.id < ?2 ORDER BY task.id DESC LIMIT ?3";
constexpr const char* kTasksByStatus =
    "WHERE task.tenant = ?1 AND task.id < ?2 AND status = ?4 ORDER BY task.id DESC LIMIT ?3";
constexpr const char* kTasksOfSession =
    "WHERE task.tenant = ?1 AND task.id < ?2 AND session = ?4 "
    "AND session <> '' AND (?5 < 0 OR status = ?5) ORDER BY task.id DESC LIMIT ?3";

constexpr const char* kTasksOfLabel =
    "FROM task_label CROSS JOIN task ON task.id = task_label.task "
    "LEFT JOIN tenant ON tenant.key = task.tenant "
    "WHERE task_label.tenant = ?1 AND task_label.label = ?4 AND task_label.task < ?2 "
    "AND task.tenant = ?1 AND (?5 < 0 OR status = ?5) AND (?6 = '' OR session = ?6) "
    "ORDER BY task_label.task DESC LIMIT ?3";

constexpr const char* kIdempotency =
    "SELECT request_hash, task.id, idempotency.created_ms, idempotency.digest FROM idempotency "
    "LEFT JOIN task ON task.key = idempotency.task WHERE hash = ?";
// Conditions behind kSelectInterrupts.
constexpr const char* kInterrupts =
    "WHERE interrupt.tenant = ? AND (task, seq) > (?, ?) ORDER BY task, seq LIMIT ?";
// Behind kInterruptColumns.
constexpr const char* kInterruptsFor =
    "FROM (SELECT * FROM (SELECT task AS of_task, seq AS at FROM interrupt_assignee "
    "WHERE tenant = ?1 AND assignee = ?5 AND (task, seq) > (?2, ?3) ORDER BY task, seq LIMIT ?4) "
    "UNION SELECT * FROM (SELECT task, seq FROM interrupt_assignee "
    "WHERE tenant = ?1 AND assignee = '' AND (task, seq) > (?2, ?3) ORDER BY task, seq LIMIT ?4)) "
    "CROSS JOIN interrupt ON interrupt.task = of_task AND interrupt.seq = at "
    "LEFT JOIN tenant ON tenant.key = interrupt.tenant "
    "WHERE interrupt.tenant = ?1 ORDER BY of_task, at LIMIT ?4";
constexpr const char* kInterruptsOf = "WHERE task = ? ORDER BY seq";
// Conditions behind kSelectTimers.
constexpr const char* kTimersDue = "WHERE due_ms <= ? ORDER BY due_ms, task, name LIMIT ?";
constexpr const char* kTimersOf = "WHERE task = ? ORDER BY name";
constexpr const char* kRunnable =
    "SELECT id FROM task WHERE runnable = 1 AND id > ? ORDER BY id LIMIT ?";
// The tenants are named, so that the index over (tenant, status) is walked.
constexpr const char* kCountTasks =
    "SELECT count(*) FROM task WHERE tenant IN (SELECT key FROM tenant) AND status = ?";
constexpr const char* kCountInterrupts = "SELECT reason, count(*) FROM interrupt GROUP BY reason";
constexpr const char* kCountTimers =
    "SELECT (SELECT count(*) FROM timer), count(*) FROM timer WHERE due_ms <= ?";
// Behind kSelectKept.
constexpr const char* kKept =
    "WHERE kind = ? AND (tenant, name) > (?, ?) ORDER BY tenant, name LIMIT ?";
int64_t sql_limit(size_t limit) {
  return static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX));
}

int64_t sql_seq(Seq seq) {
  return static_cast<int64_t>(std::min<Seq>(seq, INT64_MAX));
}

// Above every id: seventeen bytes, of which the first sixteen are the largest.
const std::string kBehindAllIds(17, '\xff');

}  // namespace

Result<std::unique_ptr<Reader>> Reader::open(const std::string& path) {
  TRY_ASSIGN(Database database, Database::open(path, Database::Mode::kRead, kProcessVfs));
  return over(std::move(database));
}

Result<std::unique_ptr<Reader>> Reader::over(Database database) {
  std::unique_ptr<Reader> reader(new Reader(std::move(database)));
  TRY_STATUS(reader->prepare());
  return reader;
}

Status Reader::prepare() {
  TRY_STATUS(database_.exec("PRAGMA cache_size=-8192"));
  TRY_STATUS(tenants_.prepare(database_));
  const std::string tasks = kSelectTasks, timers = kSelectTimers, interrupts = kSelectInterrupts;
  const std::pair<Statement*, std::string> statements[] = {
      {&begin_, "BEGIN"},
      {&end_, "COMMIT"},
      {&task_, tasks + kOneTask},
      {&tasks_, tasks + kTasks},
      {&tasks_by_status_, tasks + kTasksByStatus},
      {&tasks_of_session_, tasks + kTasksOfSession},
      {&tasks_of_label_, std::string(kTaskColumns) + kTasksOfLabel},
      {&idempotency_, kIdempotency},
      {&interrupts_, interrupts + kInterrupts},
      {&interrupts_of_, interrupts + kInterruptsOf},
      {&interrupts_for_, std::string(kInterruptColumns) + kInterruptsFor},
      {&timers_, timers + kTimersDue},
      {&timers_of_, timers + kTimersOf},
      {&runnable_, kRunnable},
      {&kept_, std::string(kSelectKept) + kKept},
      {&count_tasks_, kCountTasks},
      {&count_interrupts_, kCountInterrupts},
      {&count_timers_, kCountTimers},
  };
  for (const auto& [statement, sql] : statements) {
    TRY_ASSIGN(*statement, Statement::prepare(database_, sql));
  }
  TRY_STATUS(prepare_frames());
  return prepare_scrub();
}

Error Reader::damaged(std::string_view table) const {
  return {Code::kCorrupt,
          fmt::format("database {}: a row of the table `{}` is damaged; run `perdure doctor` on "
                      "the data directory",
                      database_.path(), table)};
}

Result<std::optional<TaskRow>> Reader::task(const TaskId& id) {
  const Run run(task_);
  task_.bind(id);
  TRY_ASSIGN(const bool found, task_.step());
  if (!found) return std::nullopt;
  Columns columns(task_);
  TaskRow row = task_row(columns);
  if (row.damaged) {
    return fail(Code::kCorrupt,
                fmt::format("the row of task {} is not what was written", id.to_string()));
  }
  return row;
}

Result<TaskRows> Reader::rows_of(const TaskId& id) {
  TRY_ASSIGN(const Snapshot snapshot, Snapshot::begin(begin_, end_));
  TaskRows rows;
  const Run task(task_), timers(timers_of_), interrupts(interrupts_of_);
  task_.bind(id);
  TRY_ASSIGN(const bool found, task_.step());
  if (found) {
    Columns columns(task_);
    rows.task = task_row(columns);
  }
  timers_of_.bind(id);
  TRY_ASSIGN(rows.timers, collect(timers_of_, [](Columns& columns) { return timer_row(columns); }));
  interrupts_of_.bind(id);
  TRY_ASSIGN(rows.interrupts,
             collect(interrupts_of_, [](Columns& columns) { return interrupt_row(columns); }));
  return rows;
}

Result<std::vector<TaskRow>> Reader::tasks(const TaskQuery& query) {
  if (!query.label.empty()) return list(tasks_of_label_, query);
  if (!query.session.empty()) return list(tasks_of_session_, query);
  return list(query.status ? tasks_by_status_ : tasks_, query);
}

Result<std::vector<TaskRow>> Reader::list(Statement& statement, const TaskQuery& query) {
  TRY_ASSIGN(const int64_t tenant, tenants_.find(query.tenant));
  if (tenant == 0) return std::vector<TaskRow>();
  const Run run(statement);
  const std::string_view before = query.before ? query.before->view() : kBehindAllIds;
  const int64_t limit = sql_limit(query.limit);
  const int64_t status = query.status ? static_cast<int64_t>(*query.status) : -1;
  if (!query.label.empty()) {
    statement.bind(tenant, Bytes{before}, limit, Bytes{query.label}, status, query.session);
  } else if (!query.session.empty()) {
    statement.bind(tenant, Bytes{before}, limit, query.session, status);
  } else if (query.status) {
    statement.bind(tenant, Bytes{before}, limit, *query.status);
  } else {
    statement.bind(tenant, Bytes{before}, limit);
  }
  return collect(statement, [](Columns& columns) { return task_row(columns); });
}

Result<std::optional<IdempotencyRow>> Reader::idempotency(const std::string& tenant,
                                                          const std::string& route,
                                                          const std::string& key) {
  const std::string hash = idempotency_hash(tenant, route, key);
  const Run run(idempotency_);
  idempotency_.bind(Bytes{hash});
  TRY_ASSIGN(const bool found, idempotency_.step());
  if (!found) return std::nullopt;
  Columns columns(idempotency_);
  IdempotencyRow row{tenant, route, key, {}, {}, 0};
  row.request_hash = columns.hash();
  row.task = columns.task();
  row.created_ms = columns.integer();
  const int64_t digest = columns.integer();
  if (!columns.ok() || digest != digest_of(row, hash)) {
    return tl::unexpected(damaged("idempotency"));
  }
  return row;
}

Result<std::vector<InterruptRow>> Reader::interrupts(const InterruptQuery& query) {
  if (query.task) return interrupts_of(query);
  TRY_ASSIGN(const int64_t tenant, tenants_.find(query.tenant));
  if (tenant == 0) return std::vector<InterruptRow>();
  const InterruptId from = query.after.value_or(InterruptId{});
  Statement& statement = query.assignee ? interrupts_for_ : interrupts_;
  const Run run(statement);
  if (query.assignee) {
    statement.bind(tenant, from.task, sql_seq(from.seq), sql_limit(query.limit), *query.assignee);
  } else {
    statement.bind(tenant, from.task, sql_seq(from.seq), sql_limit(query.limit));
  }
  return collect(statement, [](Columns& columns) { return interrupt_row(columns); });
}

// A task has few that are open.
Result<std::vector<InterruptRow>> Reader::interrupts_of(const InterruptQuery& query) {
  const Run run(interrupts_of_);
  interrupts_of_.bind(*query.task);
  TRY_ASSIGN(auto rows,
             collect(interrupts_of_, [](Columns& columns) { return interrupt_row(columns); }));
  std::erase_if(rows, [&](const InterruptRow& row) {
    return !wants(query, row) || (query.after && InterruptId{row.task, row.seq} <= *query.after);
  });
  if (rows.size() > query.limit) rows.resize(query.limit);
  return rows;
}

Result<std::vector<TimerRow>> Reader::timers_due(int64_t until_ms, size_t limit) {
  const Run run(timers_);
  timers_.bind(until_ms, sql_limit(limit));
  return collect(timers_, [](Columns& columns) { return timer_row(columns); });
}

Result<std::vector<TaskId>> Reader::runnable(std::optional<TaskId> after, size_t limit) {
  const std::string_view from = after ? after->view() : std::string_view();
  const Run run(runnable_);
  runnable_.bind(Bytes{from}, sql_limit(limit));
  return collect(runnable_, [](Columns& columns) { return columns.task(); });
}

Status Reader::count_tasks(StoreCounts& counts) {
  for (const TaskStatus status :
       {TaskStatus::kPending, TaskStatus::kWorking, TaskStatus::kInputRequired}) {
    const Run run(count_tasks_);
    count_tasks_.bind(status);
    TRY_ASSIGN(const bool row, count_tasks_.step());
    const uint64_t count = row ? Columns(count_tasks_).natural() : 0;
    if (count > 0) counts.tasks[status] = count;
  }
  return {};
}

Status Reader::count_interrupts(StoreCounts& counts) {
  const Run run(count_interrupts_);
  for (;;) {
    TRY_ASSIGN(const bool row, count_interrupts_.step());
    if (!row) return {};
    Columns columns(count_interrupts_);
    const auto reason = columns.word<InterruptReason>();
    const uint64_t count = columns.natural();
    if (columns.ok()) counts.interrupts[reason] = count;
  }
}

Result<StoreCounts> Reader::counts(int64_t now_ms) {
  StoreCounts out;
  TRY_STATUS(count_tasks(out));
  TRY_STATUS(count_interrupts(out));
  const Run run(count_timers_);
  count_timers_.bind(now_ms);
  TRY_ASSIGN(const bool row, count_timers_.step());
  Columns columns(count_timers_);
  out.timers = row ? columns.natural() : 0;
  out.timers_due = row ? columns.natural() : 0;
  if (!columns.ok()) return tl::unexpected(damaged("timer"));
  return out;
}

Result<std::vector<KeptRow>> Reader::kept(const std::string& kind,
                                          const std::optional<KeptRow>& after, size_t limit) {
  const KeptRow from = after.value_or(KeptRow{});
  const Run run(kept_);
  kept_.bind(kind, from.tenant, from.name, sql_limit(limit));
  return collect(kept_, [](Columns& columns) { return kept_row(columns); });
}

}  // namespace perdure
