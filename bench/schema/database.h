// The little of SQLite that the benchmark needs. Any error ends the program.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace perdure::bench {

using Blob = std::span<const uint8_t>;
using Value = std::variant<int64_t, Blob, std::string_view>;

struct Tuning {
  int page_bytes = 4096;
  int cache_kib = 65536;
  int chunk_bytes = 0;
  bool exclusive = false;
};

class Database {
 public:
  Database(const std::string& path, const Tuning& tuning);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void exec(const std::string& sql);
  int64_t query_int(const std::string& sql);
  // SQLITE_CHECKPOINT_*; false when readers kept it from finishing.
  bool checkpoint(int mode);
  // Extends the log with written zeros. Only once the database has a page: SQLite deletes a log
  // that stands beside an empty file. Not within a transaction.
  void grow_log(int64_t bytes);
  // Pages in the log as of the last commit.
  int wal_pages() const { return wal_pages_; }
  sqlite3* handle() { return db_; }

 private:
  std::string path_;
  sqlite3* db_ = nullptr;
  int wal_pages_ = 0;
};

class Statement {
 public:
  Statement() = default;
  Statement(Database& db, const std::string& sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  // Bound memory must live until the call returns.
  void run(std::span<const Value> values);
  void bind(std::span<const Value> values);
  bool step();
  int64_t column_int(int column) { return sqlite3_column_int64(stmt_, column); }
  int column_bytes(int column) { return sqlite3_column_bytes(stmt_, column); }
  std::string_view column_text(int column) {
    return reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column));
  }
  void reset() { sqlite3_reset(stmt_); }

 private:
  sqlite3_stmt* stmt_ = nullptr;
};

void remove_database(const std::string& path);

}  // namespace perdure::bench
