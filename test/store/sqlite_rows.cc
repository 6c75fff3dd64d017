#include "store/sqlite_rows.h"

#include <sqlite3.h>

#include <cstring>
#include <functional>

#include "adapters/sqlite/lists.h"
#include "base/assert.h"

namespace perdure::store_test {
namespace {

using Row = sqlite3_stmt*;

std::string bytes(Row row, int column) {
  const void* data = sqlite3_column_blob(row, column);
  const auto size = static_cast<size_t>(sqlite3_column_bytes(row, column));
  return data ? std::string(static_cast<const char*>(data), size) : std::string();
}

Sha256 hash(Row row, int column) {
  Sha256 out;
  const std::string text = bytes(row, column);
  PERDURE_ASSERT(text.size() == out.bytes.size(), "a hash has 32 bytes");
  std::memcpy(out.bytes.data(), text.data(), text.size());
  return out;
}

TaskId task(Row row, int column) {
  return TaskId::from_bytes(bytes(row, column)).value();
}

uint64_t natural(Row row, int column) {
  return static_cast<uint64_t>(sqlite3_column_int64(row, column));
}

void each(sqlite3* database, const char* sql, const std::function<void(Row)>& use) {
  sqlite3_stmt* statement = nullptr;
  const int prepared = sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);
  PERDURE_ASSERT(prepared == SQLITE_OK, sqlite3_errmsg(database));
  while (sqlite3_step(statement) == SQLITE_ROW) use(statement);
  const int ended = sqlite3_finalize(statement);
  PERDURE_ASSERT(ended == SQLITE_OK, sqlite3_errmsg(database));
}

void read_frame(Row row, StoreRows& rows) {
  Frame frame;
  frame.pos = natural(row, 0);
  frame.task = task(row, 1);
  frame.first_seq = natural(row, 2);
  frame.count = static_cast<uint32_t>(natural(row, 3));
  frame.epoch = natural(row, 4);
  frame.chain = hash(row, 5);
  frame.body = bytes(row, 6);
  rows.last_pos = std::max(rows.last_pos, frame.pos);
  rows.frames[frame.task].push_back(std::move(frame));
}

void read_task(Row row, StoreRows& rows) {
  TaskRow out;
  out.id = task(row, 0);
  out.tenant = bytes(row, 1);
  out.principal = bytes(row, 2);
  out.status = static_cast<TaskStatus>(natural(row, 3));
  out.phase = static_cast<Phase>(natural(row, 4));
  out.runnable = natural(row, 5) != 0;
  out.waiting_for = bytes(row, 6);
  out.planner = bytes(row, 7);
  out.agent = bytes(row, 8);
  out.metadata = bytes(row, 9);
  out.used.cost_micro_usd = sqlite3_column_int64(row, 10);
  out.used.model_calls = sqlite3_column_int64(row, 11);
  out.used.tool_calls = sqlite3_column_int64(row, 12);
  out.used.input_tokens = sqlite3_column_int64(row, 13);
  out.used.output_tokens = sqlite3_column_int64(row, 14);
  out.created_ms = sqlite3_column_int64(row, 15);
  out.updated_ms = sqlite3_column_int64(row, 16);
  out.head = natural(row, 17);
  out.ended_seq = natural(row, 18);
  out.session = bytes(row, 19);
  rows.tasks[out.id] = out;
}

void read_others(sqlite3* database, StoreRows& rows) {
  each(database,
       "SELECT i.hash, t.id, i.request_hash, i.created_ms FROM idempotency i "
       "JOIN task t ON t.key = i.task",
       [&](Row row) {
         IdempotencyRow out{"",           "",           bytes(row, 0),
                            hash(row, 2), task(row, 1), sqlite3_column_int64(row, 3)};
         rows.idempotency[{"", "", out.key}] = out;
       });
  each(database, "SELECT kind, tenant, name, value FROM kept",
       [&](Row row) { rows.kept[{bytes(row, 0), bytes(row, 1), bytes(row, 2)}] = bytes(row, 3); });
  each(database, "SELECT task, name, due_ms FROM timer",
       [&](Row row) { rows.timers[{task(row, 0), bytes(row, 1)}] = sqlite3_column_int64(row, 2); });
  each(database,
       "SELECT i.task, i.seq, n.name, i.reason, i.created_ms, i.assignees, i.shown FROM "
       "interrupt i "
       "JOIN tenant n ON n.key = i.tenant",
       [&](Row row) {
         InterruptRow out;
         out.task = task(row, 0);
         out.seq = natural(row, 1);
         out.tenant = bytes(row, 2);
         out.reason = static_cast<InterruptReason>(natural(row, 3));
         out.created_ms = sqlite3_column_int64(row, 4);
         PERDURE_ASSERT(unpack(bytes(row, 5), out.assignees), "a column holds a list of names");
         out.shown = bytes(row, 6);
         rows.interrupts[{out.task, out.seq}] = out;
       });
}

}  // namespace

StoreRows read_rows(const std::string& path) {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr);
  PERDURE_ASSERT(opened == SQLITE_OK, "the database of a store under test can be read");
  StoreRows rows;
  each(database,
       "SELECT pos, t.id, first_seq, count, epoch, chain, body FROM frame f "
       "JOIN task t ON t.key = f.task AND t.tenant = f.tenant ORDER BY pos",
       [&](Row row) { read_frame(row, rows); });
  each(database,
       "SELECT t.id, n.name, principal, status, phase, runnable, waiting_for, planner, agent, "
       "metadata, cost_micro_usd, model_calls, tool_calls, input_tokens, output_tokens, "
       "created_ms, updated_ms, head, ended_seq, session FROM task t JOIN tenant n ON n.key = "
       "t.tenant",
       [&](Row row) { read_task(row, rows); });
  read_others(database, rows);
  sqlite3_close(database);
  return rows;
}

}  // namespace perdure::store_test
