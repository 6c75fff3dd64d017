#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <sstream>

namespace powerloss {
namespace {

using perdure::Code;
using perdure::fail;
using Clock = std::chrono::steady_clock;

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

void replace(std::string& text, const std::string& what, const std::string& by) {
  for (size_t at; (at = text.find(what)) != std::string::npos;) text.replace(at, what.size(), by);
}

// Later entries win in no defined way, so what we set is taken out of what we inherit.
std::vector<std::string> merged(const std::vector<std::string>& added) {
  std::vector<std::string> all = added;
  for (char** at = environ; *at; at++) {
    const std::string name(*at, strcspn(*at, "=") + 1);
    bool replaced = false;
    for (const std::string& entry : added) replaced |= entry.starts_with(name);
    if (!replaced) all.emplace_back(*at);
  }
  return all;
}

// Reads until every holder of the pipe is gone; when the leader is gone or the time is over, kills
// the group.
void drain(int pipe, pid_t pid, Clock::time_point deadline, Outcome& outcome) {
  const int leader = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  pollfd watched[] = {{pipe, POLLIN, 0}, {leader, POLLIN, 0}};
  bool killed = false;
  char buffer[16384];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    const int wait_ms = killed ? -1 : static_cast<int>(std::max<int64_t>(left.count(), 0));
    const int ready = poll(watched, killed ? 1 : 2, wait_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (!killed && (ready == 0 || watched[1].revents)) {
      outcome.timed_out = ready == 0;
      kill(-pid, SIGKILL);
      killed = true;
    }
    if (!watched[0].revents) continue;
    const ssize_t got = read(pipe, buffer, sizeof buffer);
    if (got <= 0) break;
    outcome.output.append(buffer, static_cast<size_t>(got));
  }
  if (!killed && poll(&watched[1], 1, 1000) == 0) {  // it closed its stdout and lives on
    outcome.timed_out = true;
    kill(-pid, SIGKILL);
  }
  close(leader);
}

}  // namespace

std::vector<std::string> words(const std::string& command, const std::string& dir,
                               const std::string& acks) {
  std::istringstream in(command);
  std::vector<std::string> result;
  for (std::string word; in >> word;) {
    replace(word, "{dir}", dir);
    replace(word, "{acks}", acks);
    result.push_back(word);
  }
  return result;
}

perdure::Result<Outcome> run_process(const std::vector<std::string>& arguments,
                                     const std::vector<std::string>& environment, int timeout_s) {
  if (arguments.empty()) return fail(Code::kInvalid, "an empty command");
  int pipe[2];
  if (pipe2(pipe, O_CLOEXEC) != 0) return fail(Code::kInternal, "pipe2 failed");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const std::vector<std::string> all = merged(environment);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, arguments[0].c_str(), &actions, &attributes,
                                 pointers(arguments).data(), pointers(all).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(pipe[1]);
  if (error != 0) {
    close(pipe[0]);
    return fail(Code::kNotFound, "cannot run " + arguments[0] + ": " + strerror(error));
  }
  Outcome outcome;
  drain(pipe[0], pid, Clock::now() + std::chrono::seconds(timeout_s), outcome);
  close(pipe[0]);
  waitpid(pid, &outcome.status, 0);
  return outcome;
}

}  // namespace powerloss
