#include "adapters/sqlite/writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "adapters/sqlite/lists.h"
#include "adapters/sqlite/schema.h"
#include "base/assert.h"
#include "base/hooks.h"
#include "ports/label.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

constexpr const char* kFindHead = R"(
SELECT task.key, task.tenant, coalesce(frame.first_seq + frame.count - 1, 0),
  coalesce(frame.epoch, 0), task.ended_seq
FROM task LEFT JOIN frame ON frame.task = task.key
WHERE task.id = ? ORDER BY frame.first_seq DESC LIMIT 1)";
constexpr const char* kInsertFrame =
    "INSERT INTO frame(pos, tenant, task, first_seq, count, epoch, chain, body) "
    "VALUES(?,?,?,?,?,?,?,?)";
constexpr const char* kInsertTask = R"(
INSERT INTO task(id, tenant, principal, status, phase, runnable, waiting_for, planner, agent,
  metadata, cost_micro_usd, model_calls, tool_calls, input_tokens, output_tokens, created_ms,
  updated_ms, head, ended_seq, session, digest)
  VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING key)";
// Columns that never change are not set: what an index covers is written again if it is named here.
constexpr const char* kUpdateTask = R"(
UPDATE task SET status = ?, phase = ?, runnable = ?, waiting_for = ?, metadata = ?,
  cost_micro_usd = ?, model_calls = ?, tool_calls = ?, input_tokens = ?, output_tokens = ?,
  updated_ms = ?, head = ?, ended_seq = ?, digest = ? WHERE key = ?)";
constexpr const char* kRebuildTask = R"(
UPDATE task SET tenant = ?, principal = ?, planner = ?, agent = ?, created_ms = ?, session = ?
  WHERE key = ?)";
constexpr const char* kFindIdempotency = "SELECT 1 FROM idempotency WHERE hash = ?";
constexpr const char* kInsertIdempotency =
    "INSERT INTO idempotency(hash, task, request_hash, created_ms, digest) VALUES(?,?,?,?,?)";
// Heads of open tasks; the row 0 is that of the store.
constexpr const char* kSetHead =
    "INSERT INTO head(task, seq, chain) VALUES(?,?,?) "
    "ON CONFLICT DO UPDATE SET seq = excluded.seq, chain = excluded.chain";
constexpr const char* kDropHead = "DELETE FROM head WHERE task = ?";
constexpr const char* kSetTimer =
    "INSERT INTO timer(task, name, due_ms, digest) VALUES(?,?,?,?) "
    "ON CONFLICT DO UPDATE SET due_ms = excluded.due_ms, digest = excluded.digest";
constexpr const char* kClearTimer = "DELETE FROM timer WHERE task = ? AND name = ?";
constexpr const char* kOpenInterrupt =
    "INSERT INTO interrupt(task, seq, tenant, reason, created_ms, assignees, shown, digest) "
    "VALUES(?,?,?,?,?,?,?,?)";
constexpr const char* kCloseInterrupt =
    "DELETE FROM interrupt WHERE task = ? AND seq = ? RETURNING tenant, assignees, length(shown)";
constexpr const char* kNameAssignee = "INSERT OR IGNORE INTO interrupt_assignee VALUES(?,?,?,?)";
constexpr const char* kDropAssignee =
    "DELETE FROM interrupt_assignee WHERE tenant = ? AND assignee = ? AND task = ? AND seq = ?";
constexpr const char* kAddLabel = "INSERT OR IGNORE INTO task_label VALUES(?,?,?)";
constexpr const char* kKeep =
    "INSERT INTO kept(kind, tenant, name, value, digest) VALUES(?,?,?,?,?) "
    "ON CONFLICT DO UPDATE SET value = excluded.value, digest = excluded.digest";
constexpr const char* kDropKept = "DELETE FROM kept WHERE kind = ? AND tenant = ? AND name = ?";

void add_once(std::vector<TaskId>& tasks, const TaskId& task) {
  if (std::find(tasks.begin(), tasks.end(), task) == tasks.end()) tasks.push_back(task);
}

}  // namespace

Result<std::unique_ptr<Writer>> Writer::create(const Database& database, Pos last_pos) {
  std::unique_ptr<Writer> writer(new Writer(last_pos));
  TRY_STATUS(writer->prepare(database));
  return writer;
}

Status Writer::prepare(const Database& database) {
  TRY_STATUS(tenants_.prepare(database));
  const std::pair<Statement*, const char*> statements[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&rollback_, "ROLLBACK"},
      {&find_head_, kFindHead},
      {&insert_frame_, kInsertFrame},
      {&insert_task_, kInsertTask},
      {&update_task_, kUpdateTask},
      {&rebuild_task_, kRebuildTask},
      {&find_idempotency_, kFindIdempotency},
      {&insert_idempotency_, kInsertIdempotency},
      {&set_head_, kSetHead},
      {&drop_head_, kDropHead},
      {&set_timer_, kSetTimer},
      {&clear_timer_, kClearTimer},
      {&open_interrupt_, kOpenInterrupt},
      {&close_interrupt_, kCloseInterrupt},
      {&name_assignee_, kNameAssignee},
      {&drop_assignee_, kDropAssignee},
      {&add_label_, kAddLabel},
      {&keep_, kKeep},
      {&drop_kept_, kDropKept},
  };
  for (const auto& [statement, sql] : statements) {
    TRY_ASSIGN(*statement, Statement::prepare(database, sql));
  }
  return {};
}

void Writer::stop(Error error) {
  if (failure_.empty()) failure_ = std::move(error.message);
}

CommitResult Writer::commit(const Batch& batch) {
  CommitResult result;
  if (failure_.empty()) {
    next_heads_.clear();
    idempotency_hashes_.clear();
    if (Status written = write_all(batch, result); !written) stop(std::move(written).error());
  }
  if (!failure_.empty()) return {CommitResult::Kind::kFailed, {}, failure_};
  if (result.kind == CommitResult::Kind::kDurable) {
    for (const auto& [task, head] : next_heads_) heads_.put(task, head);
    if (!batch.frames.empty()) last_pos_ = batch.frames.back().pos;
  }
  return result;
}

Status Writer::write_all(const Batch& batch, CommitResult& result) {
  TRY_STATUS(begin_.run());
  TRY_ASSIGN(result.refused, refused(batch));
  if (!result.refused.empty()) {
    result.kind = CommitResult::Kind::kRefused;
    return rollback_.run();
  }
  for (const TaskRow& row : batch.tasks) TRY_STATUS(write_task(row));
  for (const TaskRow& row : batch.rebuilt) TRY_STATUS(rebuild_task(row));
  for (const Frame& frame : batch.frames) TRY_STATUS(write_frame(frame));
  if (!batch.frames.empty()) {
    const Frame& newest = batch.frames.back();
    TRY_STATUS(set_head(0, newest.pos, newest.chain));
  }
  for (size_t i = 0; i < batch.idempotency.size(); ++i) {
    TRY_STATUS(write_idempotency(batch.idempotency[i], idempotency_hashes_[i]));
  }
  TRY_STATUS(write_timers(batch));
  TRY_STATUS(write_interrupts(batch));
  TRY_STATUS(write_kept(batch));
  hooks::crash_point("store.in_transaction");
  return commit_.run();
}

Result<std::vector<TaskId>> Writer::refused(const Batch& batch) {
  std::vector<TaskId> named;
  Pos last_pos = last_pos_;
  for (const Frame& frame : batch.frames) {
    PERDURE_ASSERT(frame.pos > last_pos, "positions rise");
    last_pos = frame.pos;
    TRY_ASSIGN(const std::optional<Head> known, head(frame.task));
    const Head last = known.value_or(Head{});
    if (frame.first_seq != last.seq + 1 || frame.epoch < last.epoch) add_once(named, frame.task);
  }
  std::unordered_set<std::string> earlier;
  for (const IdempotencyRow& row : batch.idempotency) {
    std::string hash = idempotency_hash(row.tenant, row.route, row.key);
    TRY_ASSIGN(const bool stored, taken(hash));
    if (stored || !earlier.insert(hash).second) add_once(named, row.task);
    idempotency_hashes_.push_back(std::move(hash));
  }
  return named;
}

Result<bool> Writer::taken(const std::string& idempotency_hash) {
  const Run run(find_idempotency_);
  find_idempotency_.bind(Bytes{idempotency_hash});
  return find_idempotency_.step();
}

Result<std::optional<Head>> Writer::head(const TaskId& task) {
  if (const auto next = next_heads_.find(task); next != next_heads_.end()) return next->second;
  auto known = heads_.find(task);
  if (!known) {
    TRY_ASSIGN(known, read_head(task));
  }
  if (known) next_heads_[task] = *known;
  return known;
}

Result<std::optional<Head>> Writer::read_head(const TaskId& task) {
  const Run run(find_head_);
  find_head_.bind(task);
  TRY_ASSIGN(const bool found, find_head_.step());
  if (!found) return std::nullopt;
  Columns columns(find_head_);
  Head head;
  head.key = columns.integer();
  head.tenant = columns.integer();
  head.seq = columns.natural();
  head.epoch = columns.natural();
  head.ended = columns.natural() > 0;
  if (columns.ok()) return head;
  return fail(Code::kCorrupt, fmt::format("the newest frame of {} is damaged", task.to_string()));
}

Status Writer::write_task(const TaskRow& row) {
  TRY_ASSIGN(const std::optional<Head> known, head(row.id));
  if (!known) {
    Head created;
    created.ended = is_terminal(row.status);
    TRY_ASSIGN(created.tenant, tenants_.find_or_add(row.tenant));
    TRY_ASSIGN(created.key, insert_task(row, created.tenant));
    next_heads_[row.id] = created;
    return {};
  }
  update_task_.bind(row.status, row.phase, row.runnable, row.waiting_for, row.metadata,
                    row.used.cost_micro_usd, row.used.model_calls, row.used.tool_calls,
                    row.used.input_tokens, row.used.output_tokens, row.updated_ms, row.head,
                    row.ended_seq, digest_of(row), known->key);
  TRY_STATUS(update_task_.run());
  return is_terminal(row.status) ? end_task(row.id, known->key) : Status{};
}

Status Writer::rebuild_task(const TaskRow& row) {
  TRY_ASSIGN(const std::optional<Head> known, head(row.id));
  if (!known) {
    return fail(Code::kNotFound, "there is no row of task " + row.id.to_string());
  }
  TRY_ASSIGN(const int64_t tenant, tenants_.find_or_add(row.tenant));
  rebuild_task_.bind(tenant, row.principal, row.planner, row.agent, row.created_ms, row.session,
                     known->key);
  TRY_STATUS(rebuild_task_.run());
  TRY_STATUS(add_labels(row, tenant));  // those of a damaged row lead to nothing
  return write_task(row);
}

Status Writer::end_task(const TaskId& task, int64_t key) {
  next_heads_[task].ended = true;
  drop_head_.bind(key);
  return drop_head_.run();
}

Result<int64_t> Writer::insert_task(const TaskRow& row, int64_t tenant) {
  const Run run(insert_task_);
  insert_task_.bind(row.id, tenant, row.principal, row.status, row.phase, row.runnable,
                    row.waiting_for, row.planner, row.agent, row.metadata, row.used.cost_micro_usd,
                    row.used.model_calls, row.used.tool_calls, row.used.input_tokens,
                    row.used.output_tokens, row.created_ms, row.updated_ms, row.head, row.ended_seq,
                    row.session, digest_of(row));
  TRY_STATUS(insert_task_.step());
  const int64_t key = Columns(insert_task_).integer();
  TRY_STATUS(insert_task_.run());
  TRY_STATUS(add_labels(row, tenant));
  return key;
}

Status Writer::add_labels(const TaskRow& row, int64_t tenant) {
  for (const std::string& label : labels_of(row.metadata)) {
    add_label_.bind(tenant, Bytes{label}, row.id);
    TRY_STATUS(add_label_.run());
  }
  return {};
}

Status Writer::write_frame(const Frame& frame) {
  const auto head = next_heads_.find(frame.task);
  PERDURE_ASSERT(head != next_heads_.end(), "a task's row comes with its first frame");
  insert_frame_.bind(frame.pos, head->second.tenant, head->second.key, frame.first_seq, frame.count,
                     frame.epoch, frame.chain, Bytes{frame.body});
  TRY_STATUS(insert_frame_.run());
  head->second.seq = frame.last_seq();
  head->second.epoch = frame.epoch;
  return head->second.ended ? Status{} : set_head(head->second.key, frame.last_seq(), frame.chain);
}

Status Writer::set_head(int64_t key, uint64_t seq, const Sha256& chain) {
  set_head_.bind(key, seq, short_chain(chain));
  return set_head_.run();
}

Status Writer::write_idempotency(const IdempotencyRow& row, const std::string& hash) {
  TRY_ASSIGN(const std::optional<Head> known, head(row.task));
  PERDURE_ASSERT(known, "an idempotency row names a task that has a row");
  insert_idempotency_.bind(Bytes{hash}, known->key, row.request_hash, row.created_ms,
                           digest_of(row, hash));
  return insert_idempotency_.run();
}

Status Writer::write_timers(const Batch& batch) {
  for (const TimerRow& row : batch.timers_cleared) {
    clear_timer_.bind(row.task, row.timer);
    TRY_STATUS(clear_timer_.run());
  }
  for (const TimerRow& row : batch.timers_set) {
    set_timer_.bind(row.task, row.timer, row.due_ms, digest_of(row));
    TRY_STATUS(set_timer_.run());
  }
  return {};
}

Status Writer::write_interrupts(const Batch& batch) {
  for (const InterruptRow& row : batch.interrupts_opened) {
    TRY_STATUS(close_interrupt(row.task, row.seq));
    TRY_STATUS(open_interrupt(row));
  }
  for (const InterruptRow& row : batch.interrupts_closed) {
    TRY_STATUS(close_interrupt(row.task, row.seq));
  }
  return {};
}

Status Writer::open_interrupt(const InterruptRow& row) {
  TRY_ASSIGN(const int64_t tenant, tenants_.find_or_add(row.tenant));
  const std::string assignees = packed(row.assignees);
  open_interrupt_.bind(row.task, row.seq, tenant, row.reason, row.created_ms, Bytes{assignees},
                       Bytes{row.shown}, digest_of(row));
  TRY_STATUS(open_interrupt_.run());
  for (const std::string& assignee : stands_under(row.assignees, row.shown.empty())) {
    name_assignee_.bind(tenant, assignee, row.task, row.seq);
    TRY_STATUS(name_assignee_.run());
  }
  return {};
}

// If it is there.
Status Writer::close_interrupt(const TaskId& task, Seq seq) {
  int64_t tenant = 0;
  std::vector<std::string> assignees;
  {
    const Run run(close_interrupt_);
    close_interrupt_.bind(task, seq);
    TRY_ASSIGN(const bool found, close_interrupt_.step());
    if (!found) return {};
    Columns columns(close_interrupt_);
    tenant = columns.integer();
    const std::string bytes = columns.bytes();
    const bool is_older = columns.integer() == 0;
    // Of a damaged row nobody knows whom it named: what is left leads to nothing.
    if (unpack(bytes, assignees)) assignees = stands_under(assignees, is_older);
    TRY_STATUS(close_interrupt_.run());
  }
  for (const std::string& assignee : assignees) {
    drop_assignee_.bind(tenant, assignee, task, seq);
    TRY_STATUS(drop_assignee_.run());
  }
  return {};
}

Status Writer::write_kept(const Batch& batch) {
  for (const KeptRow& row : batch.kept) {
    if (row.value.empty()) {
      drop_kept_.bind(row.kind, row.tenant, row.name);
      TRY_STATUS(drop_kept_.run());
    } else {
      keep_.bind(row.kind, row.tenant, row.name, row.value, digest_of(row));
      TRY_STATUS(keep_.run());
    }
  }
  return {};
}

}  // namespace perdure
