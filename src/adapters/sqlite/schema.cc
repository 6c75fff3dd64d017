#include "adapters/sqlite/schema.h"

#include <fmt/core.h>
#include <sys/random.h>

#include <array>
#include <filesystem>

#include "adapters/sqlite/lists.h"
#include "adapters/sqlite/protection.h"

namespace perdure {
namespace {

constexpr int64_t kApplicationId = 0x50447572;  // "PDur", in the file's header

// Frames stand in commit order under small integer keys: a commit of many tasks then dirties few
// pages. Timers and interrupts are few and carry the task's public id, which is their order.
constexpr const char* kTables = R"(
CREATE TABLE meta(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  incarnation INTEGER NOT NULL,
  secret BLOB NOT NULL) STRICT;
CREATE TABLE tenant(
  key INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE frame(
  pos INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL,
  task INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  count INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  chain BLOB NOT NULL,
  body BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX frame_by_task ON frame(task, first_seq);
CREATE TABLE task(
  key INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  tenant INTEGER NOT NULL,
  principal TEXT NOT NULL,
  status INTEGER NOT NULL,
  phase INTEGER NOT NULL,
  runnable INTEGER NOT NULL,
  waiting_for TEXT NOT NULL,
  planner TEXT NOT NULL,
  agent TEXT NOT NULL,
  metadata TEXT NOT NULL,
  cost_micro_usd INTEGER NOT NULL,
  model_calls INTEGER NOT NULL,
  tool_calls INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  head INTEGER NOT NULL,
  ended_seq INTEGER NOT NULL) STRICT;
CREATE INDEX task_by_tenant ON task(tenant, id);
CREATE INDEX task_by_status ON task(tenant, status, id);
CREATE INDEX task_runnable ON task(id) WHERE runnable = 1;
CREATE TABLE idempotency(
  n INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  task INTEGER NOT NULL,
  request_hash BLOB NOT NULL,
  created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE timer(
  task BLOB NOT NULL,
  name TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  PRIMARY KEY(task, name)) STRICT, WITHOUT ROWID;
CREATE INDEX timer_by_due ON timer(due_ms);
CREATE TABLE interrupt(
  task BLOB NOT NULL,
  seq INTEGER NOT NULL,
  tenant INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY(task, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX interrupt_by_tenant ON interrupt(tenant, task, seq);
)";

Status create_tables(Database& database) {
  TRY_STATUS(database.exec(kTables));
  TRY_STATUS(database.exec(fmt::format("PRAGMA application_id={}", kApplicationId)));
  std::string secret(32, '\0');
  if (getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size())) {
    return fail(Code::kInternal, "the kernel gives no random bytes for the secret of the store");
  }
  TRY_ASSIGN(Statement insert, Statement::prepare(database, "INSERT INTO meta VALUES(1, 0, ?)"));
  insert.bind(Bytes{secret});
  return insert.run();
}

Status add_kept(Database& database) {
  return database.exec(R"(
CREATE TABLE kept(
  kind TEXT NOT NULL,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY(kind, tenant, name)) STRICT, WITHOUT ROWID;
)");
}

// Of the few tasks that have one; the index is walked from the newest.
Status add_session(Database& database) {
  return database.exec(R"(
ALTER TABLE task ADD COLUMN session TEXT NOT NULL DEFAULT '';
CREATE INDEX task_by_session ON task(tenant, session, id) WHERE session <> '';
)");
}

// The step at index n leads from format n to n + 1.
using Step = Status (*)(Database&);
constexpr std::array<Step, kStoreFormat> kSteps = {create_tables, add_kept, add_session,
                                                   add_protection, add_lists};

Status check_ours(const std::string& path, int64_t application, int64_t format, int64_t tables) {
  if (application == 0 && format == 0 && tables == 0) return {};  // its creation was cut short
  if (application != kApplicationId) {
    return fail(Code::kInvalid, fmt::format("{} is not a store of this program; choose another "
                                            "data directory",
                                            path));
  }
  if (format > kStoreFormat) {
    return fail(Code::kUnsupported,
                fmt::format("{} has format {}, written by a newer version of this program; this "
                            "one reads up to format {}. Nothing was changed; start the newer "
                            "version",
                            path, format, kStoreFormat));
  }
  return {};
}

Status raise(Database& database, int64_t wanted) {
  TRY_ASSIGN(const int64_t found, database.integer("PRAGMA user_version"));
  if (found >= wanted) return {};
  TRY_STATUS(database.exec("BEGIN IMMEDIATE"));
  for (int64_t format = found; format < wanted; ++format) {
    TRY_STATUS(kSteps[static_cast<size_t>(format)](database));
  }
  TRY_STATUS(database.exec(fmt::format("PRAGMA user_version={}", wanted)));
  return database.exec("COMMIT");
}

void add_piece(std::string& out, std::string_view piece) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(piece.size() >> shift);
  out += piece;
}

}  // namespace

std::string idempotency_hash(std::string_view tenant, std::string_view route,
                             std::string_view key) {
  std::string pieces;
  add_piece(pieces, tenant);
  add_piece(pieces, route);
  add_piece(pieces, key);
  return std::string(sha256(pieces).view().substr(0, 16));
}

Result<int64_t> inspect_format(const std::string& path) {
  std::error_code missing;
  if (std::filesystem::file_size(path, missing) == 0 || missing) return 0;
  TRY_ASSIGN(Database database, Database::open(path, Database::Mode::kInspect));
  TRY_ASSIGN(const int64_t application, database.integer("PRAGMA application_id"));
  TRY_ASSIGN(const int64_t format, database.integer("PRAGMA user_version"));
  TRY_ASSIGN(const int64_t tables, database.integer("SELECT count(*) FROM sqlite_schema"));
  TRY_STATUS(check_ours(path, application, format, tables));
  return format;
}

Status migrate(Database& database) {
  return raise(database, kStoreFormat);
}

Result<std::vector<std::string>> describe_tables(Database& database) {
  TRY_ASSIGN(Statement select,
             Statement::prepare(database,
                                "SELECT printf('%s %s: %s', type, name, coalesce(sql, '')) FROM "
                                "sqlite_schema ORDER BY type, name"));
  std::vector<std::string> tables;
  for (;;) {
    TRY_ASSIGN(const bool row, select.step());
    if (!row) return tables;
    tables.push_back(Columns(select).bytes());
  }
}

Result<std::vector<std::string>> tables_of_format(int64_t format) {
  TRY_ASSIGN(Database database, Database::open(":memory:", Database::Mode::kWrite));
  TRY_STATUS(raise(database, format));
  return describe_tables(database);
}

}  // namespace perdure
