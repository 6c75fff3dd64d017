#pragma once
// One connection to one SQLite file, and its statements. SQLite's own types stay in database.cc and
// the files that include <sqlite3.h>. Not thread-safe: one thread at a time uses a connection.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"
#include "base/id.h"

struct sqlite3;
struct sqlite3_stmt;

namespace perdure {

class Database {
 public:
  enum class Mode : uint8_t {
    kWrite,    // created if missing; the only connection that writes and checkpoints
    kRead,     // beside an open kWrite
    kInspect,  // the only connection; changes nothing, not even the files beside the database
  };
  // `vfs`: SQLite's name of a VFS; null: the system's own.
  static Result<Database> open(const std::string& path, Mode mode, const char* vfs = nullptr);

  Status exec(const std::string& sql);
  // The first column of the first row; 0 if there is no row.
  Result<int64_t> integer(const std::string& sql);
  // Describes the last failure on this connection: what was being done, to which file, why.
  Error error(std::string_view doing) const;

  const std::string& path() const { return path_; }
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  Status configure(Mode mode);

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

// Bytes, where a plain std::string would be text.
struct Bytes {
  std::string_view view;
};

// Prepared once, run often. Bound strings are not copied: they outlive the run.
class Statement {
 public:
  Statement() = default;
  // Must not outlive `database`.
  static Result<Statement> prepare(const Database& database, std::string_view sql);

  template <class... Values>
  void bind(const Values&... values) {
    int index = 0;
    (put(++index, values), ...);
  }
  // True: there is a row. After false the statement may be bound and run again.
  Result<bool> step();
  // Runs to the end, for statements without rows.
  Status run();
  void reset();

  sqlite3_stmt* handle() const { return handle_.get(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const;
  };
  void put(int index, int64_t value);
  void put(int index, uint64_t value) { put(index, static_cast<int64_t>(value)); }
  void put(int index, uint32_t value) { put(index, static_cast<int64_t>(value)); }
  void put(int index, bool value) { put(index, int64_t{value}); }
  void put(int index, Bytes bytes);
  void put(int index, const std::string& text);
  void put(int index, const TaskId& id) { put(index, Bytes{id.view()}); }
  void put(int index, const Sha256& hash) { put(index, Bytes{hash.view()}); }
  template <class Word>
    requires std::is_enum_v<Word>
  void put(int index, Word word) {
    put(index, static_cast<int64_t>(word));
  }

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

// Ends a run when its scope ends, whatever happened: an open read keeps the log from being reused.
class Run {
 public:
  explicit Run(Statement& statement) : statement_(statement) {}
  ~Run() { statement_.reset(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

 private:
  Statement& statement_;
};

// The columns of the current row, from left to right. What does not fit its type is damage: `ok`
// is false from then on, and values are empty.
class Columns {
 public:
  explicit Columns(const Statement& statement, int first = 0)
      : row_(statement.handle()), next_(first) {}

  int64_t integer();
  uint64_t natural();  // not negative
  uint32_t small();    // below 2^32
  bool boolean();
  size_t size_bytes() const;  // of the next column, which stays the next
  bool is_null() const;       // the next column, which stays the next
  std::string bytes();        // text as well
  TaskId task();
  Sha256 hash();
  template <class Word>
  Word word() {
    const uint64_t value = natural();
    if (value > static_cast<uint64_t>(last_of(Word{}))) ok_ = false;
    return ok_ ? static_cast<Word>(value) : Word{};
  }
  bool ok() const { return ok_; }

 private:
  std::string_view view();

  sqlite3_stmt* row_;
  int next_;
  bool ok_ = true;
};

}  // namespace perdure
