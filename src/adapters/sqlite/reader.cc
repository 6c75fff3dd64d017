#include "adapters/sqlite/reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/vfs.h"

namespace perdure {
namespace {

#define PERDURE_TASK_COLUMNS                                                                \
  "SELECT task.id, tenant.name, principal, status, phase, runnable, waiting_for, planner, " \
  "agent, metadata, cost_micro_usd, model_calls, tool_calls, input_tokens, output_tokens, " \
  "created_ms, updated_ms, head, ended_seq, session FROM task JOIN tenant ON tenant.key = " \
  "task.tenant "

constexpr const char* kTask = PERDURE_TASK_COLUMNS "WHERE task.id = ?";
constexpr const char* kTasks = PERDURE_TASK_COLUMNS
    "WHERE task.tenant = ?1 AND task.id < ?2 "
    "ORDER BY task.id DESC LIMIT ?3";
constexpr const char* kTasksByStatus = PERDURE_TASK_COLUMNS
    "WHERE task.tenant = ?1 AND task.id < ?2 AND status = ?4 "
    "ORDER BY task.id DESC LIMIT ?3";
constexpr const char* kTasksOfSession = PERDURE_TASK_COLUMNS
    "WHERE task.tenant = ?1 AND task.id < ?2 AND session = ?4 "
    "AND session <> '' AND (?5 < 0 OR status = ?5) ORDER BY task.id DESC LIMIT ?3";
#undef PERDURE_TASK_COLUMNS

// The frame that holds a record is the last one that begins at or before it.
constexpr const char* kFrames = R"(
WITH wanted(key) AS (SELECT key FROM task WHERE id = ?1)
SELECT pos, ?1, first_seq, count, epoch, chain, body FROM wanted JOIN frame
ON frame.task = wanted.key
WHERE first_seq >= coalesce((SELECT max(first_seq) FROM frame
  WHERE task = wanted.key AND first_seq <= ?2), 0)
ORDER BY first_seq)";
constexpr const char* kIdempotency =
    "SELECT request_hash, task.id, idempotency.created_ms FROM idempotency "
    "JOIN task ON task.key = idempotency.task WHERE hash = ?";
constexpr const char* kInterrupts =
    "SELECT task, seq, reason, created_ms FROM interrupt "
    "WHERE tenant = ? AND (task, seq) > (?, ?) ORDER BY task, seq LIMIT ?";
constexpr const char* kTimers =
    "SELECT task, name, due_ms FROM timer WHERE due_ms <= ? ORDER BY due_ms, task, name LIMIT ?";
constexpr const char* kRunnable =
    "SELECT id FROM task WHERE runnable = 1 AND id > ? ORDER BY id LIMIT ?";
constexpr const char* kFramesAfter =
    "SELECT pos, task.id, first_seq, count, epoch, chain, body FROM frame "
    "JOIN task ON task.key = frame.task WHERE pos > ? ORDER BY pos";
// The tenants are named, so that the index over (tenant, status) is walked.
constexpr const char* kCountTasks =
    "SELECT count(*) FROM task WHERE tenant IN (SELECT key FROM tenant) AND status = ?";
constexpr const char* kCountInterrupts = "SELECT reason, count(*) FROM interrupt GROUP BY reason";
constexpr const char* kCountTimers =
    "SELECT (SELECT count(*) FROM timer), count(*) FROM timer WHERE due_ms <= ?";
constexpr const char* kKept =
    "SELECT tenant, name, value FROM kept WHERE kind = ? AND (tenant, name) > (?, ?) "
    "ORDER BY tenant, name LIMIT ?";
constexpr const char* kContains =
    "SELECT 1 FROM frame WHERE task = (SELECT key FROM task WHERE id = ?) AND first_seq = ? "
    "AND epoch = ? AND chain = ?";

TaskRow task_row(Columns& columns) {
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
  return row;
}

// But for the body, the last column.
Frame frame_without_body(Columns& columns) {
  Frame frame;
  frame.pos = columns.natural();
  frame.task = columns.task();
  frame.first_seq = columns.natural();
  frame.count = static_cast<uint32_t>(columns.natural());
  frame.epoch = columns.natural();
  frame.chain = columns.hash();
  return frame;
}

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
  std::unique_ptr<Reader> reader(new Reader(std::move(database)));
  TRY_STATUS(reader->prepare());
  return reader;
}

Status Reader::prepare() {
  TRY_STATUS(database_.exec("PRAGMA cache_size=-8192"));
  TRY_STATUS(tenants_.prepare(database_));
  const std::pair<Statement*, const char*> statements[] = {
      {&task_, kTask},
      {&tasks_, kTasks},
      {&tasks_by_status_, kTasksByStatus},
      {&tasks_of_session_, kTasksOfSession},
      {&frames_, kFrames},
      {&idempotency_, kIdempotency},
      {&interrupts_, kInterrupts},
      {&timers_, kTimers},
      {&runnable_, kRunnable},
      {&kept_, kKept},
      {&contains_, kContains},
      {&frames_after_, kFramesAfter},
      {&count_tasks_, kCountTasks},
      {&count_interrupts_, kCountInterrupts},
      {&count_timers_, kCountTimers},
  };
  for (const auto& [statement, sql] : statements) {
    TRY_ASSIGN(*statement, Statement::prepare(database_, sql));
  }
  return {};
}

Error Reader::damaged(std::string_view table) const {
  return {Code::kCorrupt,
          fmt::format("database {}: a row of the table `{}` is damaged; run `perdure doctor` on "
                      "the data directory",
                      database_.path(), table)};
}

template <class Read>
auto Reader::collect(Statement& statement, std::string_view table, Read read)
    -> Result<std::vector<std::invoke_result_t<Read, Columns&>>> {
  std::vector<std::invoke_result_t<Read, Columns&>> found;
  for (;;) {
    TRY_ASSIGN(const bool row, statement.step());
    if (!row) return found;
    Columns columns(statement);
    found.push_back(read(columns));
    if (!columns.ok()) return tl::unexpected(damaged(table));
  }
}

// Those that hold records from `from_seq` on.
Result<std::vector<Frame>> Reader::collect_frames(Statement& statement, Seq from_seq,
                                                  size_t max_bytes) {
  std::vector<Frame> found;
  size_t bytes = 0;
  for (;;) {
    TRY_ASSIGN(const bool row, statement.step());
    if (!row) return found;
    Columns columns(statement);
    Frame frame = frame_without_body(columns);
    bytes += columns.size_bytes();
    if (!found.empty() && bytes > max_bytes) return found;
    frame.body = columns.bytes();
    if (!columns.ok()) return tl::unexpected(damaged("frame"));
    if (frame.last_seq() < from_seq) return found;  // the journal ends before
    found.push_back(std::move(frame));
  }
}

Result<std::optional<TaskRow>> Reader::task(const TaskId& id) {
  const Run run(task_);
  task_.bind(id);
  TRY_ASSIGN(const bool found, task_.step());
  if (!found) return std::nullopt;
  Columns columns(task_);
  TaskRow row = task_row(columns);
  if (!columns.ok()) return tl::unexpected(damaged("task"));
  return row;
}

Result<std::vector<TaskRow>> Reader::tasks(const TaskQuery& query) {
  if (!query.session.empty()) return list(tasks_of_session_, query);
  return list(query.status ? tasks_by_status_ : tasks_, query);
}

Result<std::vector<TaskRow>> Reader::list(Statement& statement, const TaskQuery& query) {
  TRY_ASSIGN(const int64_t tenant, tenants_.find(query.tenant));
  if (tenant == 0) return std::vector<TaskRow>();
  const Run run(statement);
  const std::string_view before = query.before ? query.before->view() : kBehindAllIds;
  const int64_t limit = sql_limit(query.limit);
  if (!query.session.empty()) {
    const int64_t status = query.status ? static_cast<int64_t>(*query.status) : -1;
    statement.bind(tenant, Bytes{before}, limit, query.session, status);
  } else if (query.status) {
    statement.bind(tenant, Bytes{before}, limit, *query.status);
  } else {
    statement.bind(tenant, Bytes{before}, limit);
  }
  return collect(statement, "task", task_row);
}

Result<std::vector<Frame>> Reader::frames(const TaskId& id, Seq from_seq, size_t max_bytes) {
  const Run run(frames_);
  frames_.bind(id, sql_seq(from_seq));
  return collect_frames(frames_, from_seq, max_bytes);
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
  if (!columns.ok()) return tl::unexpected(damaged("idempotency"));
  return row;
}

Result<std::vector<InterruptRow>> Reader::interrupts(const std::string& tenant,
                                                     std::optional<InterruptId> after,
                                                     size_t limit) {
  TRY_ASSIGN(const int64_t tenant_key, tenants_.find(tenant));
  if (tenant_key == 0) return std::vector<InterruptRow>();
  const InterruptId from = after.value_or(InterruptId{});
  const Run run(interrupts_);
  interrupts_.bind(tenant_key, from.task, sql_seq(from.seq), sql_limit(limit));
  return collect(interrupts_, "interrupt", [&](Columns& columns) {
    InterruptRow row;
    row.task = columns.task();
    row.seq = columns.natural();
    row.tenant = tenant;
    row.reason = columns.word<InterruptReason>();
    row.created_ms = columns.integer();
    return row;
  });
}

Result<std::vector<TimerRow>> Reader::timers_due(int64_t until_ms, size_t limit) {
  const Run run(timers_);
  timers_.bind(until_ms, sql_limit(limit));
  return collect(timers_, "timer", [](Columns& columns) {
    TimerRow row;
    row.task = columns.task();
    row.timer = columns.bytes();
    row.due_ms = columns.integer();
    return row;
  });
}

Result<std::vector<TaskId>> Reader::runnable(std::optional<TaskId> after, size_t limit) {
  const std::string_view from = after ? after->view() : std::string_view();
  const Run run(runnable_);
  runnable_.bind(Bytes{from}, sql_limit(limit));
  return collect(runnable_, "task", [](Columns& columns) { return columns.task(); });
}

Result<std::vector<Frame>> Reader::frames_after(Pos after, size_t max_bytes) {
  const Run run(frames_after_);
  frames_after_.bind(after);
  return collect_frames(frames_after_, 0, max_bytes);
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
    counts.interrupts[reason] = columns.natural();
    if (!columns.ok()) return tl::unexpected(damaged("interrupt"));
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
  return collect(kept_, "kept", [&](Columns& columns) {
    KeptRow row;
    row.kind = kind;
    row.tenant = columns.bytes();
    row.name = columns.bytes();
    row.value = columns.bytes();
    return row;
  });
}

Result<bool> Reader::contains(const Frame& frame) {
  const Run run(contains_);
  contains_.bind(frame.task, frame.first_seq, frame.epoch, frame.chain);
  return contains_.step();
}

}  // namespace perdure
