#include "adapters/sandbox/loop.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#include <algorithm>

#include "base/assert.h"

namespace perdure {
namespace {

constexpr int64_t kLongestWaitMs = 60'000;
// Of a disk that writes a gigabyte a second, a tenth is gone in between.
constexpr int64_t kDiskEveryMs = 100;

int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

SandboxLoop::SandboxLoop(std::string bwrap)
    : bwrap_(std::move(bwrap)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  PERDURE_ASSERT(wake_.is_open(), "there are descriptors to start");
  thread_ = std::thread([this] { run(); });
}

SandboxLoop::~SandboxLoop() {
  stop();
}

void SandboxLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
}

SandboxLoop::Id SandboxLoop::next_id() {
  const std::lock_guard lock(mutex_);
  return ++last_id_;
}

void SandboxLoop::put(Command command) {
  std::unique_ptr<Child> refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      refused = std::move(command.child);
    } else {
      commands_.push_back(std::move(command));
    }
  }
  if (refused == nullptr) return wake();
  refused->refuse("the server is stopping");
  refused->tell_end();
}

void SandboxLoop::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

void SandboxLoop::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  while (true) {
    const bool going_on = take_commands();
    if (!going_on) {
      for (const auto& [id, child] : children_) child->kill(ProcessExit::End::kKilled);
    }
    tell_ended();
    if (!going_on) {
      const std::lock_guard lock(mutex_);
      stopped_ = children_.empty() && commands_.empty();
      if (stopped_) return;
    }
    wait();
    end_late();
    tell_ended();
  }
}

bool SandboxLoop::take_commands() {
  std::vector<Command> commands;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
    stopping = stopping_;
  }
  for (Command& command : commands) obey(std::move(command));
  return !stopping;
}

void SandboxLoop::obey(Command command) {
  if (command.what == Command::What::kStart) {
    command.child->start(bwrap_, now_ms());
    children_.emplace(command.id, std::move(command.child));
    return;
  }
  const auto found = children_.find(command.id);
  if (found == children_.end()) return;
  Child& child = *found->second;
  switch (command.what) {
    case Command::What::kWrite:
      return child.write(std::move(command.bytes));
    case Command::What::kCloseStdin:
      return child.close_stdin();
    case Command::What::kKill:
      return child.kill(ProcessExit::End::kKilled);
    case Command::What::kStart:
      break;
  }
}

int SandboxLoop::wait_ms() const {
  int64_t until = now_ms() + kLongestWaitMs;
  for (const auto& [id, child] : children_) {
    if (child->deadline_ms() > 0) until = std::min(until, child->deadline_ms());
    if (child->watches_disk()) until = std::min(until, look_at_ms_);
  }
  return static_cast<int>(std::max<int64_t>(until - now_ms(), 0));
}

void SandboxLoop::wait() {
  std::vector<pollfd> fds{{wake_.get(), POLLIN, 0}};
  for (const auto& [id, child] : children_) {
    const Child::Waits waits = child->waits();
    fds.insert(fds.end(), waits.begin(), waits.end());
  }
  if (poll(fds.data(), fds.size(), wait_ms()) <= 0) return;
  uint64_t ignored = 0;
  if (fds.front().revents != 0) {
    [[maybe_unused]] const ssize_t got = read(wake_.get(), &ignored, sizeof ignored);
  }
  auto next = fds.begin() + 1;
  for (const auto& [id, child] : children_) {
    Child::Waits events{};
    std::copy_n(next, Child::kWaits, events.begin());
    child->take(events);
    next += Child::kWaits;
  }
}

void SandboxLoop::end_late() {
  const int64_t now = now_ms();
  for (const auto& [id, child] : children_) {
    if (child->deadline_ms() > 0 && child->deadline_ms() <= now) {
      child->kill(ProcessExit::End::kTimedOut);
    }
  }
  look_at_disks(now);
}

void SandboxLoop::look_at_disks(int64_t now_ms) {
  if (now_ms < look_at_ms_) return;
  look_at_ms_ = now_ms + kDiskEveryMs;
  for (const auto& [id, child] : children_) {
    if (child->is_disk_full()) child->kill(ProcessExit::End::kDiskFull);
  }
}

void SandboxLoop::tell_ended() {
  for (auto it = children_.begin(); it != children_.end();) {
    if (!it->second->has_ended()) {
      ++it;
      continue;
    }
    const std::unique_ptr<Child> ended = std::move(it->second);
    it = children_.erase(it);
    ended->tell_end();
  }
}

}  // namespace perdure
