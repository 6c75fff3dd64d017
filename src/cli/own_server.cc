#include "cli/own_server.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/hash.h"
#include "base/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int64_t kEndMs = 60'000;
constexpr int64_t kLookMs = 25;

std::optional<std::string> text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The number that the holder of the lock wrote into it; a killed one's stays.
uint64_t signed_pid(const std::string& data_dir) {
  std::string text = text_of(data_dir + "/lock").value_or("");
  if (text.ends_with('\n')) text.pop_back();
  return parse_u64(text).value_or(0);
}

bool has_open(pid_t pid, const std::string& path) {
  struct stat wanted{};
  if (stat(path.c_str(), &wanted) != 0) return false;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), ignored)) {
    struct stat found{};
    if (stat(entry.path().c_str(), &found) != 0) continue;
    if (found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino) return true;
  }
  return false;
}

// Names a process for good: its number may be another's after its end.
class ProcessHandle {
 public:
  explicit ProcessHandle(pid_t pid) : fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  ~ProcessHandle() {
    if (fd_ >= 0) close(fd_);
  }
  ProcessHandle(const ProcessHandle&) = delete;
  ProcessHandle& operator=(const ProcessHandle&) = delete;

  bool exists() const { return fd_ >= 0; }
  bool send(int signal) const {
    return syscall(SYS_pidfd_send_signal, fd_, signal, nullptr, 0) == 0;
  }
  bool has_ended() const {
    pollfd ended{fd_, POLLIN, 0};
    return poll(&ended, 1, 0) == 1;
  }

 private:
  const int fd_;
};

}  // namespace

std::string running_text(const RunningServer& server) {
  return to_json(json::object{{"pid", server.pid},
                              {"config_sha256", server.config_sha256},
                              {"private", server.is_private}}) +
         "\n";
}

std::optional<RunningServer> running_server(const std::string& data_dir) {
  if (!is_held(data_dir)) return std::nullopt;
  const auto text = text_of(data_dir + "/running");
  const auto value = text ? parse_json(*text, "running") : tl::unexpected(Error{});
  const json::object* object = value ? value->if_object() : nullptr;
  if (object == nullptr) return std::nullopt;
  const uint64_t pid = parse_u64(text_at(*object, "pid")).value_or(0);
  if (pid == 0 || pid != signed_pid(data_dir)) return std::nullopt;
  return RunningServer{static_cast<pid_t>(pid), text_at(*object, "config_sha256"),
                       text_at(*object, "private") == "true"};
}

std::string file_sha256(const std::string& path) {
  const auto text = text_of(path);
  return text ? to_hex(sha256(*text).view()) : "";
}

bool is_held(const std::string& data_dir) {
  const int fd = open((data_dir + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  struct flock whole{};
  whole.l_type = F_RDLCK;
  whole.l_whence = SEEK_SET;
  const bool looked = fcntl(fd, F_OFD_GETLK, &whole) == 0;
  close(fd);
  return looked && whole.l_type != F_UNLCK;
}

Result<bool> end_server(const RunningServer& server, const std::string& data_dir, Context& context,
                        Attention& attention) {
  const ProcessHandle process(server.pid);
  if (!process.exists() || !has_open(server.pid, data_dir + "/lock")) return false;
  if (!process.send(SIGTERM) && errno != ESRCH) {
    return fail(Code::kForbidden, fmt::format("cannot end the server (process {}): {}", server.pid,
                                              std::strerror(errno)));
  }
  const int64_t end = context.steady_ms() + kEndMs;
  while (!process.has_ended()) {
    if (attention.is_interrupted()) return fail(Code::kCancelled, "interrupted");
    if (context.steady_ms() > end) {
      return fail(Code::kUnavailable,
                  fmt::format("the server (process {}) was told to end, and has "
                              "not within {} s",
                              server.pid, kEndMs / 1000));
    }
    attention.wait(kLookMs);
  }
  return true;
}

int stop_server(Context& context) {
  const std::string& data_dir = context.client.flags().data_dir;
  Attention attention;
  const bool was_held = is_held(data_dir);
  auto server = running_server(data_dir);
  // One that opens its store does not say yet that it serves; one that closes it says so no more.
  const std::string said = data_dir + "/running";
  const int64_t end = context.steady_ms() + kEndMs;
  while (!server && is_held(data_dir) && access(said.c_str(), F_OK) != 0) {
    if (attention.is_interrupted()) return report({Code::kCancelled, "interrupted"}, context.to);
    if (context.steady_ms() > end) {
      return report({Code::kUnavailable, fmt::format("process {} holds {}, and serves nobody",
                                                     signed_pid(data_dir), data_dir)},
                    context.to);
    }
    attention.wait(kLookMs);
    server = running_server(data_dir);
  }
  if (!server && was_held && !is_held(data_dir)) {
    fmt::print(context.to.out, "stopped  it was ending already\n");
    return kDone;
  }
  const auto ended = server ? end_server(*server, data_dir, context, attention) : false;
  if (!ended) return report(ended.error(), context.to);
  if (!*ended) {
    return report({Code::kUnavailable, fmt::format("no process serves {}", data_dir)}, context.to);
  }
  fmt::print(context.to.out, "stopped  process {}\n", server->pid);
  return kDone;
}

}  // namespace perdure::cli
