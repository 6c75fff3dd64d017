#include "adapters/sqlite/database.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <cstring>
#include <filesystem>

#include "base/assert.h"

namespace perdure {
namespace {

Code code_of(int sqlite_code) {
  switch (sqlite_code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kCorrupt;
    case SQLITE_FULL:
      return Code::kExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::kUnavailable;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Code::kForbidden;
    default:
      return Code::kInternal;
  }
}

std::string_view advice(int sqlite_code) {
  switch (sqlite_code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "; run `perdure doctor` on the data directory, and restore from a backup";
    case SQLITE_FULL:
      return "; free space on that file system, then start again";
    case SQLITE_IOERR:
      return "; check the disk and the kernel log before starting again";
    default:
      return "";
  }
}

Error describe(sqlite3* handle, std::string_view path, std::string_view doing) {
  const int code = sqlite3_extended_errcode(handle);
  const int os_error = sqlite3_system_errno(handle);
  std::string message =
      fmt::format("database {}: {} (SQLite code {}", path, sqlite3_errmsg(handle), code);
  if (os_error != 0) message += fmt::format(", {}", std::strerror(os_error));
  message += fmt::format(") while {}{}", doing, advice(code));
  return {code_of(code), std::move(message)};
}

// Without a log beside it the file is complete, and SQLite would create an empty log.
std::string inspect_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) || std::strchr("/-_.", c) != nullptr;
    uri += plain ? std::string(1, c) : fmt::format("%{:02x}", byte);
  }
  std::error_code missing;
  const auto log_bytes = std::filesystem::file_size(path + "-wal", missing);
  const bool logged = !missing && log_bytes > 0;
  // There is such a journal only while the file is made: a process or the power went, and what
  // stands in the file is nothing until SQLite has rolled it back.
  const bool cut_short = std::filesystem::exists(path + "-journal", missing);
  return logged || cut_short ? uri : uri + "?immutable=1";
}

int flags_of(Database::Mode mode) {
  switch (mode) {
    case Database::Mode::kWrite:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Database::Mode::kRead:
      return SQLITE_OPEN_READONLY;
    case Database::Mode::kInspect:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI;
  }
  return 0;
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const {
  const int code = sqlite3_close(handle);
  PERDURE_ASSERT(code == SQLITE_OK, "statements end before their connection");
}

Result<Database> Database::open(const std::string& path, Mode mode, const char* vfs) {
  Database database;
  database.path_ = path;
  sqlite3* handle = nullptr;
  const std::string name = mode == Mode::kInspect ? inspect_uri(path) : path;
  const int code =
      sqlite3_open_v2(name.c_str(), &handle, flags_of(mode) | SQLITE_OPEN_NOMUTEX, vfs);
  database.handle_.reset(handle);
  if (code != SQLITE_OK) return tl::unexpected(database.error("opening it"));
  TRY_STATUS(database.configure(mode));
  return database;
}

Status Database::configure(Mode mode) {
  constexpr int kBusyMs = 5000;
  sqlite3_extended_result_codes(handle(), 1);
  sqlite3_busy_timeout(handle(), kBusyMs);
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (mode == Mode::kInspect) {
    // Exclusive locking keeps the index of the log in this process's memory, so that no file is
    // made for it; and nothing is moved out of the log at the end.
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    TRY_STATUS(exec("PRAGMA locking_mode=EXCLUSIVE"));
  }
  // Memory-mapped reads would see a torn file as plain bytes, and spread it.
  TRY_STATUS(exec("PRAGMA mmap_size=0"));
  TRY_STATUS(exec("PRAGMA trusted_schema=OFF"));
  TRY_STATUS(exec("PRAGMA cell_size_check=ON"));
  TRY_STATUS(exec("PRAGMA foreign_keys=ON"));
  TRY_STATUS(exec("PRAGMA temp_store=MEMORY"));
  if (mode != Mode::kWrite) TRY_STATUS(exec("PRAGMA query_only=ON"));
  return {};
}

Status Database::exec(const std::string& sql) {
  if (sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return tl::unexpected(error(fmt::format("running {}", sql.substr(0, sql.find_first_of("(\n")))));
}

Result<int64_t> Database::integer(const std::string& sql) {
  TRY_ASSIGN(Statement statement, Statement::prepare(*this, sql));
  TRY_ASSIGN(const bool row, statement.step());
  return row ? Columns(statement).integer() : 0;
}

Error Database::error(std::string_view doing) const {
  return describe(handle(), path_, doing);
}

void Statement::Finalize::operator()(sqlite3_stmt* handle) const {
  sqlite3_finalize(handle);
}

Result<Statement> Statement::prepare(const Database& database, std::string_view sql) {
  Statement statement;
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(database.error(fmt::format("preparing {}", sql)));
  statement.handle_.reset(handle);
  return statement;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(handle());
  if (code == SQLITE_ROW) return true;
  // The description must be taken before the reset, which may replace it.
  if (code != SQLITE_DONE) {
    sqlite3* database = sqlite3_db_handle(handle());
    Error error = describe(database, sqlite3_db_filename(database, "main"),
                           fmt::format("running {}", sqlite3_sql(handle())));
    reset();
    return tl::unexpected(std::move(error));
  }
  reset();
  return false;
}

Status Statement::run() {
  for (;;) {
    TRY_ASSIGN(const bool row, step());
    if (!row) return {};
  }
}

void Statement::reset() {
  sqlite3_reset(handle());
}

void Statement::put(int index, int64_t value) {
  sqlite3_bind_int64(handle(), index, value);
}

void Statement::put(int index, Bytes bytes) {
  // An empty view has no address, and that would be NULL.
  const char* data = bytes.view.empty() ? "" : bytes.view.data();
  sqlite3_bind_blob64(handle(), index, data, bytes.view.size(), SQLITE_STATIC);
}

void Statement::put(int index, const std::string& text) {
  sqlite3_bind_text64(handle(), index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

int64_t Columns::integer() {
  if (sqlite3_column_type(row_, next_) != SQLITE_INTEGER) ok_ = false;
  return sqlite3_column_int64(row_, next_++);
}

uint64_t Columns::natural() {
  const int64_t value = integer();
  if (value < 0) ok_ = false;
  return ok_ ? static_cast<uint64_t>(value) : 0;
}

uint32_t Columns::small() {
  const uint64_t value = natural();
  if (value > UINT32_MAX) ok_ = false;
  return static_cast<uint32_t>(value);
}

bool Columns::boolean() {
  const int64_t value = integer();
  if (value != 0 && value != 1) ok_ = false;
  return value == 1;
}

std::string_view Columns::view() {
  const int type = sqlite3_column_type(row_, next_);
  if (type != SQLITE_TEXT && type != SQLITE_BLOB) ok_ = false;
  const auto* data = static_cast<const char*>(sqlite3_column_blob(row_, next_));
  const int size = sqlite3_column_bytes(row_, next_++);
  return data && ok_ ? std::string_view(data, static_cast<size_t>(size)) : std::string_view();
}

bool Columns::is_null() const {
  return sqlite3_column_type(row_, next_) == SQLITE_NULL;
}

size_t Columns::size_bytes() const {
  return static_cast<size_t>(sqlite3_column_bytes(row_, next_));
}

std::string Columns::bytes() {
  return std::string(view());
}

TaskId Columns::task() {
  const auto id = TaskId::from_bytes(view());
  if (!id) ok_ = false;
  return id.value_or(TaskId{});
}

Sha256 Columns::hash() {
  Sha256 hash;
  const std::string_view bytes = view();
  if (bytes.size() != hash.bytes.size()) {
    ok_ = false;
  } else {
    std::memcpy(hash.bytes.data(), bytes.data(), bytes.size());
  }
  return hash;
}

}  // namespace perdure
