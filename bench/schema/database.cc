#include "schema/database.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "schema/meter.h"

namespace perdure::bench {

namespace {

void check(sqlite3* db, int code, std::string_view what) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  die(fmt::format("{}: {} ({})", what, db ? sqlite3_errmsg(db) : "", code));
}

int note_wal_pages(void* wal_pages, sqlite3*, const char*, int pages) {
  *static_cast<int*>(wal_pages) = pages;
  return SQLITE_OK;
}

}  // namespace

Database::Database(const std::string& path, const Tuning& tuning) : path_(path) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  check(db_, sqlite3_open_v2(path.c_str(), &db_, flags, nullptr), path);
  int persist = 1;
  sqlite3_file_control(db_, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  int chunk_bytes = tuning.chunk_bytes;
  if (chunk_bytes > 0) sqlite3_file_control(db_, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk_bytes);
  if (tuning.exclusive) exec("PRAGMA locking_mode=EXCLUSIVE");
  exec(fmt::format("PRAGMA page_size={}", tuning.page_bytes));
  exec("PRAGMA journal_mode=WAL");
  exec("PRAGMA synchronous=FULL");
  exec("PRAGMA wal_autocheckpoint=0");
  exec(fmt::format("PRAGMA cache_size=-{}", tuning.cache_kib));
  sqlite3_wal_hook(db_, note_wal_pages, &wal_pages_);
}

Database::~Database() {
  check(db_, sqlite3_close(db_), "close");
}

void Database::exec(const std::string& sql) {
  check(db_, sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), sql);
}

int64_t Database::query_int(const std::string& sql) {
  Statement statement(*this, sql);
  statement.step();
  return statement.column_int(0);
}

void Database::grow_log(int64_t bytes) {
  grow_with_zeros(path_ + "-wal", bytes);
}

bool Database::checkpoint(int mode) {
  int in_log = 0;
  int done = 0;
  int code = sqlite3_wal_checkpoint_v2(db_, "main", mode, &in_log, &done);
  if (code == SQLITE_BUSY) return false;
  check(db_, code, "checkpoint");
  return in_log == done;
}

Statement::Statement(Database& db, const std::string& sql) {
  int flags = SQLITE_PREPARE_PERSISTENT;
  check(db.handle(),
        sqlite3_prepare_v3(db.handle(), sql.c_str(), -1, static_cast<unsigned>(flags), &stmt_,
                           nullptr),
        sql);
}

Statement::~Statement() {
  sqlite3_finalize(stmt_);
}

Statement::Statement(Statement&& other) noexcept : stmt_(std::exchange(other.stmt_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(stmt_, other.stmt_);
  return *this;
}

void Statement::bind(std::span<const Value> values) {
  int index = 0;
  for (const Value& value : values) {
    ++index;
    if (auto* number = std::get_if<int64_t>(&value)) {
      sqlite3_bind_int64(stmt_, index, *number);
    } else if (auto* blob = std::get_if<Blob>(&value)) {
      sqlite3_bind_blob(stmt_, index, blob->data(), static_cast<int>(blob->size()), SQLITE_STATIC);
    } else {
      auto text = std::get<std::string_view>(value);
      sqlite3_bind_text(stmt_, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    }
  }
}

bool Statement::step() {
  int code = sqlite3_step(stmt_);
  check(sqlite3_db_handle(stmt_), code, "step");
  return code == SQLITE_ROW;
}

void Statement::run(std::span<const Value> values) {
  bind(values);
  step();
  reset();
}

void remove_database(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
}

}  // namespace perdure::bench
