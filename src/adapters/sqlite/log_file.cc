#include "adapters/sqlite/log_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "adapters/sqlite/log_check.h"
#include "base/hooks.h"

namespace perdure {
namespace {

int note_pages(void* pages, sqlite3*, const char*, int in_log) {
  *static_cast<int*>(pages) = in_log;
  return SQLITE_OK;
}

bool append_zeros(int fd, uint64_t size_bytes) {
  const std::string zeros(1 << 20, '\0');
  const off_t end = lseek(fd, 0, SEEK_END);
  if (end < 0) return false;
  for (auto at = static_cast<uint64_t>(end); at < size_bytes;) {
    const size_t wanted = std::min<uint64_t>(zeros.size(), size_bytes - at);
    const ssize_t written = write(fd, zeros.data(), wanted);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += static_cast<uint64_t>(written);
  }
  return fsync(fd) == 0;
}

}  // namespace

Status grow_log(const std::string& database_path, uint64_t size_bytes) {
  const std::string path = database_path + "-wal";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const bool grown = fd >= 0 && append_zeros(fd, size_bytes);
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (grown) return {};
  return fail(error == ENOSPC || error == EDQUOT ? Code::kExhausted : Code::kInternal,
              fmt::format("cannot grow {} to {} bytes: {}; it needs that much space to start", path,
                          size_bytes, std::strerror(error)));
}

Status sync_log(const std::string& database_path) {
  const std::string path = database_path + "-wal";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return {};
  const bool synced = fd >= 0 && fdatasync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (synced) return {};
  return fail(Code::kInternal, fmt::format("cannot sync {}: {}", path, std::strerror(error)));
}

Checkpointer::Checkpointer(Database& database, int64_t threshold_pages)
    : database_(database), threshold_pages_(threshold_pages), next_at_(threshold_pages) {
  sqlite3_wal_hook(database.handle(), note_pages, &pages_);
}

Status Checkpointer::after_commit() {
  if (pages_ < threshold_pages_) next_at_ = threshold_pages_;  // the log began anew
  if (pages_ < next_at_) return {};
  hooks::crash_point("store.before_checkpoint");
  int in_log = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_.handle(), "main", SQLITE_CHECKPOINT_PASSIVE,
                                             &in_log, &moved);
  if (code != SQLITE_OK) return tl::unexpected(database_.error("moving the log into the database"));
  ++checkpoints_;
  // While readers keep the log from beginning anew, more of it is moved from time to time.
  next_at_ = pages_ + threshold_pages_ / 4;
  hooks::crash_point("store.after_checkpoint");
  return {};
}

void close_with_empty_log(Database database) {
  const std::string path = database.path();
  int in_log = 0;
  int moved = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(database.handle(), "main", SQLITE_CHECKPOINT_FULL, &in_log, &moved);
  {
    const Database closed = std::move(database);
  }
  // If that fails, the log is read again, and says what the database says.
  if (code == SQLITE_OK && in_log == moved) (void)mark_emptied(path);
}

}  // namespace perdure
