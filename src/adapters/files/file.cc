#include "adapters/files/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace perdure {
namespace {

tl::unexpected<Error> failed(std::string_view what, const std::string& path) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  const Code code = full ? Code::kExhausted : error == ENOENT ? Code::kNotFound : Code::kInternal;
  return fail(code, fmt::format("cannot {} {}: {}", what, path, std::strerror(error)));
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (fd_ < 0) return;
    const int error = errno;  // the caller reports the failure that came first
    ::close(fd_);
    errno = error;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

Status write_all(const Descriptor& file, const std::string& path, std::string_view bytes) {
  if (!file.open()) return failed("create", path);
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

constexpr int kAnew = O_WRONLY | O_CREAT | O_TRUNC;

}  // namespace

Status write_file(const std::string& path, std::string_view bytes) {
  const Descriptor file(path, kAnew);
  return write_all(file, path, bytes);
}

Status write_durably(const std::string& path, std::string_view bytes) {
  const Descriptor file(path, kAnew);
  TRY_STATUS(write_all(file, path, bytes));
  if (fdatasync(file.get()) != 0) return failed("sync", path);
  return {};
}

Result<std::string> read_whole(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  struct stat found{};
  if (!file.open() || fstat(file.get(), &found) != 0) return failed("open", path);
  std::string bytes(static_cast<size_t>(found.st_size), '\0');
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t size = ::read(file.get(), bytes.data() + at, bytes.size() - at);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failed("read", path);
    if (size == 0) bytes.resize(at);  // it was cut short meanwhile
    at += static_cast<size_t>(size);
  }
  return bytes;
}

Status make_dir(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return failed("create the directory", path);
  return {};
}

Status sync_names(const std::string& path) {
  const Descriptor dir(path, O_RDONLY | O_DIRECTORY);
  if (!dir.open()) {
    return fail(Code::kUnavailable, failed("open the directory", path).value().message);
  }
  if (fsync(dir.get()) != 0) return failed("sync the directory", path);
  return {};
}

Status rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename into", to);
  return {};
}

}  // namespace perdure
