#include "server/idle.h"

#include <algorithm>

namespace perdure::server {
namespace {

constexpr int64_t kLookMs = 250;

// The signal that came, or 0.
int signal_within(const sigset_t& signals, int64_t ms) {
  timespec time{};
  time.tv_sec = static_cast<time_t>(ms / 1000);
  time.tv_nsec = static_cast<long>(ms % 1000 * 1'000'000);
  return std::max(0, sigtimedwait(&signals, nullptr, &time));
}

std::string name_of(int signal) {
  return signal == SIGINT ? "SIGINT" : "SIGTERM";
}

}  // namespace

std::string wait_for_end(const sigset_t& signals, int64_t idle_ms,
                         const std::function<Activity()>& activity,
                         const std::function<bool()>& is_work_open) {
  if (idle_ms <= 0) {
    int received = 0;
    sigwait(&signals, &received);
    return name_of(received);
  }
  const int64_t look_ms = std::min(kLookMs, idle_ms);
  uint64_t requests = 0;
  int64_t quiet_ms = 0;
  for (;;) {
    if (const int received = signal_within(signals, look_ms)) return name_of(received);
    const Activity now = activity();
    const bool is_quiet = now.requests == requests && now.held == 0;
    requests = now.requests;
    quiet_ms = is_quiet ? quiet_ms + look_ms : 0;
    if (quiet_ms < idle_ms) continue;
    if (!is_work_open()) return std::string(kIdle);
    quiet_ms = 0;
  }
}

}  // namespace perdure::server
