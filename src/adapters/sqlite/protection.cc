#include "adapters/sqlite/protection.h"

#include "adapters/sqlite/meta.h"
#include "adapters/sqlite/row_columns.h"
#include "base/log.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

// `head`: of each task that has not ended, the newest record and the first 8 bytes of its frame's
// chain. Small rows: a commit of one task writes one page for it. The row with the key 0 is that of
// the store: the position of the newest frame of all, and its chain.
constexpr const char* kTables = R"(
ALTER TABLE meta ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN incarnation_digest INTEGER NOT NULL DEFAULT 0;
CREATE TABLE meta_copy(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  secret BLOB NOT NULL,
  digest INTEGER NOT NULL) STRICT;
CREATE TABLE head(
  task INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  chain INTEGER NOT NULL) STRICT;
ALTER TABLE task ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE timer ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE interrupt ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE idempotency ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kept ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
)";

// As they were then.
constexpr const char* kInterrupts =
    "SELECT task, seq, tenant.name, reason, created_ms FROM interrupt "
    "LEFT JOIN tenant ON tenant.key = interrupt.tenant ";

constexpr size_t kTellAfterRows = 500'000;

// Calls `use` with each row that `select` finds.
template <class Use>
Status each(Database& database, const std::string& select, const char* what, Use use) {
  TRY_ASSIGN(Statement rows, Statement::prepare(database, select));
  for (size_t done = 1;; ++done) {
    TRY_ASSIGN(const bool row, rows.step());
    if (!row) return {};
    TRY_STATUS(use(rows));
    if (done % kTellAfterRows == 0) {
      log(LogLevel::kInfo, "store.upgrading", {{"table", what}, {"rows", std::to_string(done)}});
    }
  }
}

Status protect_secret(Database& database) {
  TRY_ASSIGN(Statement meta, Statement::prepare(database, "SELECT incarnation, secret FROM meta"));
  TRY_ASSIGN(const bool row, meta.step());
  if (!row) return {};
  Columns columns(meta);
  const uint64_t incarnation = columns.natural();
  const std::string secret = columns.bytes();
  meta.reset();
  TRY_ASSIGN(Statement sign,
             Statement::prepare(database, "UPDATE meta SET digest = ?, incarnation_digest = ?"));
  sign.bind(digest_of_secret(secret), digest_of_incarnation(incarnation));
  TRY_STATUS(sign.run());
  TRY_ASSIGN(Statement copy, Statement::prepare(database, "INSERT INTO meta_copy VALUES(1, ?, ?)"));
  copy.bind(Bytes{secret}, digest_of_secret(secret));
  return copy.run();
}

Status protect_tasks(Database& database) {
  TRY_ASSIGN(Statement sign,
             Statement::prepare(database, "UPDATE task SET digest = ? WHERE id = ?"));
  return each(database, kSelectTasks, "task", [&](Statement& rows) {
    Columns columns(rows);
    const TaskRow row = task_row(columns, Trust::kAsItIs);
    sign.bind(digest_of(row), row.id);
    return sign.run();
  });
}

Status protect_timers(Database& database) {
  TRY_ASSIGN(
      Statement sign,
      Statement::prepare(database, "UPDATE timer SET digest = ? WHERE task = ? AND name = ?"));
  return each(database, kSelectTimers, "timer", [&](Statement& rows) {
    Columns columns(rows);
    const TimerRow row = timer_row(columns, Trust::kAsItIs);
    sign.bind(digest_of(row), row.task, row.timer);
    return sign.run();
  });
}

Status protect_interrupts(Database& database) {
  TRY_ASSIGN(
      Statement sign,
      Statement::prepare(database, "UPDATE interrupt SET digest = ? WHERE task = ? AND seq = ?"));
  return each(database, kInterrupts, "interrupt", [&](Statement& rows) {
    Columns columns(rows);
    InterruptRow row;
    row.task = columns.task();
    row.seq = columns.natural();
    row.tenant = columns.bytes();
    row.reason = columns.word<InterruptReason>();
    row.created_ms = columns.integer();
    sign.bind(digest_of(row), row.task, row.seq);
    return sign.run();
  });
}

Status protect_kept(Database& database) {
  TRY_ASSIGN(Statement sign,
             Statement::prepare(database,
                                "UPDATE kept SET digest = ? WHERE kind = ? AND tenant = ? AND "
                                "name = ?"));
  return each(database, kSelectKept, "kept", [&](Statement& rows) {
    Columns columns(rows);
    const KeptRow row = kept_row(columns, Trust::kAsItIs);
    sign.bind(digest_of(row), row.kind, row.tenant, row.name);
    return sign.run();
  });
}

Status protect_idempotency(Database& database) {
  TRY_ASSIGN(Statement sign,
             Statement::prepare(database, "UPDATE idempotency SET digest = ? WHERE n = ?"));
  return each(database,
              "SELECT n, hash, task.id, request_hash, idempotency.created_ms FROM idempotency "
              "JOIN task ON task.key = idempotency.task",
              "idempotency", [&](Statement& rows) {
                Columns columns(rows);
                const int64_t n = columns.integer();
                const std::string hash = columns.bytes();
                IdempotencyRow row;
                row.task = columns.task();
                row.request_hash = columns.hash();
                row.created_ms = columns.integer();
                sign.bind(digest_of(row, hash), n);
                return sign.run();
              });
}

Status note_heads(Database& database) {
  TRY_ASSIGN(Statement put, Statement::prepare(database, "INSERT INTO head VALUES(?, ?, ?)"));
  return each(database,
              "SELECT task.key, frame.first_seq + frame.count - 1, frame.chain FROM task JOIN "
              "frame ON frame.task = task.key AND frame.first_seq = (SELECT max(first_seq) FROM "
              "frame WHERE task = task.key) WHERE task.ended_seq = 0",
              "head", [&](Statement& rows) {
                Columns columns(rows);
                const int64_t key = columns.integer();
                const Seq seq = columns.natural();
                put.bind(key, seq, short_chain(columns.hash()));
                return put.run();
              });
}

}  // namespace

Status add_protection(Database& database) {
  TRY_STATUS(database.exec(kTables));
  TRY_STATUS(protect_secret(database));
  TRY_STATUS(protect_tasks(database));
  TRY_STATUS(protect_timers(database));
  TRY_STATUS(protect_interrupts(database));
  TRY_STATUS(protect_kept(database));
  TRY_STATUS(protect_idempotency(database));
  TRY_STATUS(note_heads(database));
  return renew_mark(database);
}

}  // namespace perdure
