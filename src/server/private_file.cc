#include "server/private_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace perdure::server {
namespace {

Status cannot(const std::string& what, const std::string& path) {
  return fail(Code::kUnavailable,
              fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

Status write_file(const std::string& path, const std::string& text, bool durably) {
  const std::string temporary = path + ".new";
  const int fd = open(temporary.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return cannot("create", temporary);
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       (!durably || fsync(fd) == 0);
  close(fd);
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) return cannot("write", path);
  return {};
}

}  // namespace

Status write_private(const std::string& path, const std::string& text) {
  return write_file(path, text, false);
}

Status write_private_durably(const std::string& path, const std::string& text) {
  return write_file(path, text, true);
}

}  // namespace perdure::server
