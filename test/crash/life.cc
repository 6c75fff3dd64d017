#include "crash/life.h"

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "crash/words.h"

extern char** environ;

namespace perdure::crash {
namespace {

using How = LifeEnd::How;

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (std::string& string : strings) all.push_back(string.data());
  all.push_back(nullptr);
  return all;
}

class Process {
 public:
  // `socket` becomes its stdin and stdout. -1: it cannot be started.
  Process(const LifePlan& plan, int socket) {
    std::vector<std::string> args = {plan.child, "run", plan.dir}, env;
    for (char** set = environ; *set != nullptr; ++set) {
      if (!std::string_view(*set).starts_with("PERDURE_")) env.emplace_back(*set);
    }
    if (plan.kill && !plan.kill->point.empty()) {
      env.push_back(fmt::format("PERDURE_CRASH_AT={}:{}", plan.kill->point, plan.kill->hit));
    }
    if (!plan.plant.empty()) env.push_back("PERDURE_PLANT=" + plan.plant);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, socket, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, socket, STDOUT_FILENO);
    if (posix_spawn(&pid_, plan.child.c_str(), &files, nullptr, pointers(args).data(),
                    pointers(env).data()) != 0) {
      pid_ = -1;
    }
    posix_spawn_file_actions_destroy(&files);
  }
  bool started() const { return pid_ > 0; }
  void end() const { kill(pid_, SIGKILL); }
  int wait() const {
    int status = 0;
    waitpid(pid_, &status, 0);
    return status;
  }

 private:
  pid_t pid_ = -1;
};

class Conversation {
 public:
  Conversation(const LifePlan& plan, World& world) : plan_(plan), world_(world) {}

  LifeEnd hold() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return {};
    socket_ = ends[0];
    const Process process(plan_, ends[1]);
    close(ends[1]);
    LifeEnd end{How::kFailed, "cannot start " + plan_.child};
    if (process.started()) {
      talk(process);
      end = how_it_ended(process.wait());
    }
    close(socket_);
    return end;
  }

 private:
  void talk(const Process& process) {
    const int64_t limit_us = now_us() + plan_.limit_us;
    world_.begin_life(now_us());
    for (;;) {
      for (const std::string& line : world_.take_due(now_us())) send_line(line);
      if (!quit_ && world_.all_ended()) send_line("quit"), quit_ = true;
      const int64_t until_us = std::min({limit_us, kill_at_us_, world_.next_due_us()});
      if (!hear_until(until_us)) return;
      stuck_ = now_us() >= limit_us || !world_.problems().empty();
      if (!stuck_ && now_us() < kill_at_us_) continue;
      process.end();
      kill_at_us_ = INT64_MAX;
      while (hear_until(INT64_MAX)) {
      }
      return;
    }
  }

  // False when the child is gone and everything that it said has been heard.
  bool hear_until(int64_t until_us) {
    pollfd watched{socket_, POLLIN, 0};
    const int64_t wait_us = std::clamp<int64_t>(until_us - now_us(), 0, 1'000'000);
    const timespec wait{wait_us / 1'000'000, wait_us % 1'000'000 * 1'000};
    if (ppoll(&watched, 1, &wait, nullptr) <= 0) return true;
    std::array<char, 65536> bytes;
    const ssize_t got = recv(socket_, bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    lines_.add({bytes.data(), static_cast<size_t>(got)});
    for (std::string line; lines_.next(line);) {
      world_.hear(line, now_us());
      const bool timed = plan_.kill && plan_.kill->point.empty();
      if (timed && ++heard_ == plan_.kill->after_lines) kill_at_us_ = now_us() + plan_.kill->and_us;
    }
    return true;
  }

  // What cannot be sent any more would have been lost on the wire.
  void send_line(std::string line) const {
    line += '\n';
    for (size_t done = 0; done < line.size();) {
      const ssize_t put = send(socket_, line.data() + done, line.size() - done, MSG_NOSIGNAL);
      if (put <= 0) return;
      done += static_cast<size_t>(put);
    }
  }

  LifeEnd how_it_ended(int status) const {
    if (stuck_) return {How::kStuck, "not every task could end"};
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return {How::kKilled, {}};
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && quit_) return {How::kFinished, {}};
    return {How::kFailed, fmt::format("it ended by itself with status {:#x}", status)};
  }

  const LifePlan& plan_;
  World& world_;
  int socket_ = -1;
  Lines lines_;
  uint64_t heard_ = 0;
  int64_t kill_at_us_ = INT64_MAX;
  bool quit_ = false, stuck_ = false;
};

}  // namespace

LifeEnd live(const LifePlan& plan, World& world) {
  return Conversation(plan, world).hold();
}

}  // namespace perdure::crash
