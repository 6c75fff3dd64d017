#include "cli/attention.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace perdure::cli {
namespace {

// The handler of a signal reaches nothing else.
volatile int wake_fd = -1;
volatile sig_atomic_t interrupted = 0;
struct sigaction before;

void ring() {
  const uint64_t one = 1;
  const int fd = wake_fd;
  if (fd >= 0 && write(fd, &one, sizeof one) < 0) return;  // full: it is awake anyway
}

// The second time somebody means it, whatever is waited for.
void on_interrupt(int) {
  if (interrupted != 0) _exit(128 + SIGINT);
  interrupted = 1;
  ring();
}

}  // namespace

Attention::Attention() {
  PERDURE_ASSERT(wake_fd < 0, "a command waits in one place");
  wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  interrupted = 0;
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before);
}

Attention::~Attention() {
  sigaction(SIGINT, &before, nullptr);
  close(wake_fd);
  wake_fd = -1;
}

void Attention::wake() {
  ring();
}

void Attention::wait(int64_t timeout_ms, bool typed) {
  if (is_interrupted()) return;
  std::array<pollfd, 2> fds{{{wake_fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
  const nfds_t count = typed && !closed_ ? 2 : 1;
  poll(fds.data(), count, static_cast<int>(std::clamp<int64_t>(timeout_ms, 0, 60'000)));
  uint64_t rung = 0;
  while (read(wake_fd, &rung, sizeof rung) > 0) {
  }
}

bool Attention::is_interrupted() const {
  return interrupted != 0;
}

bool Attention::has_input() const {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return !closed_ && poll(&input, 1, 0) > 0;
}

std::optional<std::string> Attention::line(bool& closed) {
  while (typed_.find('\n') == std::string::npos && has_input()) {
    std::array<char, 4096> bytes{};
    const ssize_t size = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (size > 0) typed_.append(bytes.data(), static_cast<size_t>(size));
    closed_ = size <= 0;
  }
  closed = closed_;
  const size_t end = typed_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = typed_.substr(0, end);
  typed_.erase(0, end + 1);
  return line;
}

}  // namespace perdure::cli
