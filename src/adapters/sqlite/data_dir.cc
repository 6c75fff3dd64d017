#include "adapters/sqlite/data_dir.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace perdure {
namespace {

tl::unexpected<Error> failed(std::string_view what, const std::string& path) {
  const int error = errno;
  const Code code = error == ENOSPC || error == EDQUOT ? Code::kExhausted : Code::kForbidden;
  return fail(code, fmt::format("cannot {} {}: {}", what, path, std::strerror(error)));
}

Status create(const std::string& path) {
  std::error_code ignored;  // mkdir tells
  const auto parent = std::filesystem::absolute(path).parent_path();
  std::filesystem::create_directories(parent, ignored);
  if (mkdir(path.c_str(), 0700) == 0) return sync_dir(parent.string());
  if (errno == EEXIST) return {};
  return failed("create the data directory", path);
}

Status check_private(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return failed("open the data directory", path);
  if (!S_ISDIR(found.st_mode)) {
    return fail(Code::kInvalid, fmt::format("the data directory {} is not a directory", path));
  }
  if ((found.st_mode & 077) != 0) {
    return fail(Code::kForbidden,
                fmt::format("the data directory {} is open to other users (mode {:04o}), who could "
                            "read its secrets; run: chmod 700 {}",
                            path, found.st_mode & 07777, path));
  }
  if (access(path.c_str(), R_OK | W_OK | X_OK) != 0)
    return failed("write to the data directory", path);
  return {};
}

// Whether this lock is held can be seen without taking it, so that a client who looks is in
// nobody's way.
bool mark(int fd) {
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

std::string holder(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = pread(fd, text.data(), text.size(), 0);
  std::string pid(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
  pid.erase(pid.find_last_not_of('\n') + 1);
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

Result<DataDir> DataDir::lock(const std::string& path) {
  TRY_STATUS(create(path));
  return lock_existing(path);
}

Result<DataDir> DataDir::lock_existing(const std::string& path) {
  TRY_STATUS(check_private(path));
  const std::string file = path + "/lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return failed("open the lock file", file);
  DataDir locked(path, fd);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    // What a server wrote that was killed: nothing is to be sent there any more.
    for (const char* name : {"/address", "/running"}) ::unlink((path + name).c_str());
    return mark(fd) ? Result<DataDir>(std::move(locked)) : failed("lock", file);
  }
  if (errno != EWOULDBLOCK) return failed("lock", file);
  return fail(Code::kConflict,
              fmt::format("the data directory {} is in use by {}, which holds {}; stop it, or "
                          "choose another data directory",
                          path, holder(fd), file));
}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)),
      lock_fd_(std::exchange(other.lock_fd_, -1)),
      signed_(other.signed_) {}

DataDir::~DataDir() {
  if (lock_fd_ < 0) return;
  if (signed_ && ftruncate(lock_fd_, 0) != 0) errno = 0;  // a stale name is corrected by the next
  ::close(lock_fd_);
}

Status DataDir::sign() {
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(lock_fd_, 0) != 0 ||
      pwrite(lock_fd_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return failed("write to the lock file of", path_);
  }
  signed_ = true;
  return {};
}

Status sync_dir(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failed("open the directory", path);
  const bool synced = fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  if (!synced) return failed("sync the directory", path);
  return {};
}

}  // namespace perdure
