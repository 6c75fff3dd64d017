// Plain SQLite as a child of the rig. With synchronous=FULL nothing may be lost; with NORMAL and
// OFF something must be, or the rig cannot see.
//   sqlite_powerloss write DIR FULL|NORMAL|OFF    sqlite_powerloss verify DIR ACKS
#include <sqlite3.h>

#include <filesystem>
#include <map>
#include <memory>

#include "dice.h"
#include "workload.h"

namespace {

using namespace powerloss;

constexpr int kTransactions = 8;
constexpr int kMaxParts = 3;
constexpr int kMaxPayloadBytes = 6000;  // beyond a page

using Database = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

std::string database_path(const std::string& dir) {
  return dir + "/a.db";
}

Database open_database(const std::string& dir) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open(database_path(dir).c_str(), &db);
  return {code == SQLITE_OK ? db : nullptr, &sqlite3_close};
}

[[noreturn]] void stop(sqlite3* db, int status) {
  fprintf(stderr, "sqlite_powerloss: %s\n", sqlite3_errmsg(db));
  printf("sqlite: %s\n", sqlite3_errmsg(db));
  exit(status);
}

// Errors end the process with `status`.
void execute(sqlite3* db, const std::string& sql, int status = kExitBroken) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) stop(db, status);
}

Statement prepare(sqlite3* db, const char* sql, int status = kExitBroken) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK) stop(db, status);
  return {statement, &sqlite3_finalize};
}

std::string text(sqlite3_stmt* row, int column) {
  const unsigned char* value = sqlite3_column_text(row, column);
  return value ? reinterpret_cast<const char*>(value) : "";
}

std::string payload(int64_t id, int part, const std::string& token) {
  Dice dice(static_cast<uint64_t>(id * kMaxParts + part) ^ std::stoull(token));
  std::string bytes(dice.below(kMaxPayloadBytes), ' ');
  for (char& byte : bytes) byte = static_cast<char>('a' + dice.below(26));
  return bytes;
}

int parts_of(int64_t id, const std::string& token) {
  return 1 + static_cast<int>((static_cast<uint64_t>(id) + std::stoull(token)) % kMaxParts);
}

void commit_one(sqlite3* db, sqlite3_stmt* insert, int64_t id, const std::string& token) {
  execute(db, "BEGIN IMMEDIATE");
  for (int part = 0; part < parts_of(id, token); part++) {
    const std::string bytes = payload(id, part, token);
    sqlite3_bind_int64(insert, 1, id);
    sqlite3_bind_int(insert, 2, part);
    sqlite3_bind_text(insert, 3, token.c_str(), -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 4, bytes.c_str(), -1, SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE) stop(db, kExitBroken);
    sqlite3_reset(insert);
  }
  execute(db, "UPDATE total SET n = n + 1");
  execute(db, "COMMIT");
}

int write_rows(const std::string& dir, const std::string& synchronous) {
  const Database db = open_database(dir);
  if (!db) return kExitBroken;
  const std::string token = round_token();
  const bool exclusive = std::stoull(token) % 2 == 0;  // without and with a -shm file
  execute(db.get(), exclusive ? "PRAGMA locking_mode=EXCLUSIVE" : "PRAGMA locking_mode=NORMAL");
  execute(db.get(), "PRAGMA journal_mode=WAL");
  execute(db.get(), "PRAGMA synchronous=" + synchronous);
  execute(db.get(), "PRAGMA wal_autocheckpoint=8");
  execute(db.get(),
          "BEGIN IMMEDIATE;"
          "CREATE TABLE IF NOT EXISTS row(id INTEGER, part INTEGER, token TEXT, body TEXT, PRIMARY "
          "KEY(id, part));"
          "CREATE TABLE IF NOT EXISTS total(one INTEGER PRIMARY KEY, n INTEGER);"
          "INSERT OR IGNORE INTO total VALUES(1, 0);"
          "COMMIT");
  const Statement last = prepare(db.get(), "SELECT coalesce(max(id), 0) FROM row");
  if (sqlite3_step(last.get()) != SQLITE_ROW) stop(db.get(), kExitBroken);
  int64_t id = sqlite3_column_int64(last.get(), 0);
  sqlite3_reset(last.get());
  const Statement insert = prepare(db.get(), "INSERT INTO row VALUES(?, ?, ?, ?)");
  for (int i = 0; i < kTransactions; i++) {
    commit_one(db.get(), insert.get(), ++id, token);
    acknowledge(std::to_string(id) + ":" + token);
  }
  return kExitOk;
}

// All of a transaction or nothing, and the bytes that were written.
int check_rows(sqlite3* db, std::map<std::string, int>& parts_found) {
  const Statement rows =
      prepare(db, "SELECT id, part, token, body FROM row ORDER BY id, part", kExitCorrupt);
  std::map<std::string, int> parts_due;
  int code;
  while ((code = sqlite3_step(rows.get())) == SQLITE_ROW) {
    const int64_t id = sqlite3_column_int64(rows.get(), 0);
    const std::string token = text(rows.get(), 2), ack = std::to_string(id) + ":" + token;
    if (text(rows.get(), 3) != payload(id, sqlite3_column_int(rows.get(), 1), token)) {
      return verdict(kExitCorrupt, "other bytes in " + ack);
    }
    parts_found[ack]++;
    parts_due[ack] = parts_of(id, token);
  }
  if (code != SQLITE_DONE) stop(db, kExitCorrupt);
  if (parts_found != parts_due) return verdict(kExitCorrupt, "a part of a transaction");
  const Statement total = prepare(db, "SELECT n FROM total", kExitCorrupt);
  if (sqlite3_step(total.get()) != SQLITE_ROW ||
      sqlite3_column_int64(total.get(), 0) != static_cast<int64_t>(parts_found.size())) {
    return verdict(kExitCorrupt, "the total does not match the rows");
  }
  return kExitOk;
}

bool has_tables(sqlite3* db) {
  const Statement count =
      prepare(db, "SELECT count(*) FROM sqlite_schema WHERE type='table'", kExitCorrupt);
  if (sqlite3_step(count.get()) != SQLITE_ROW) stop(db, kExitCorrupt);
  return sqlite3_column_int(count.get(), 0) > 0;
}

int verify_rows(const std::string& dir, const std::string& acks_path) {
  const std::vector<std::string> acks = read_acks(acks_path);
  if (!std::filesystem::exists(database_path(dir))) {
    return acks.empty() ? kExitOk : verdict(kExitLost, "no database");
  }
  const Database db = open_database(dir);
  if (!db) return verdict(kExitCorrupt, "cannot open the database");
  const Statement check = prepare(db.get(), "PRAGMA integrity_check", kExitCorrupt);
  if (sqlite3_step(check.get()) != SQLITE_ROW) stop(db.get(), kExitCorrupt);
  if (text(check.get(), 0) != "ok")
    return verdict(kExitCorrupt, "integrity_check: " + text(check.get(), 0));
  if (!has_tables(db.get())) return acks.empty() ? kExitOk : verdict(kExitLost, "no tables");
  std::map<std::string, int> parts_found;
  if (const int bad = check_rows(db.get(), parts_found)) return bad;
  for (const std::string& ack : acks) {
    if (!parts_found.contains(ack)) return verdict(kExitLost, "lost " + ack);
  }
  return kExitOk;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string what = count == 4 ? arguments[1] : "";
  if (what == "write") return write_rows(arguments[2], arguments[3]);
  if (what == "verify") return verify_rows(arguments[2], arguments[3]);
  fprintf(stderr, "usage: sqlite_powerloss write DIR FULL|NORMAL|OFF | verify DIR ACKS\n");
  return kExitBroken;
}
