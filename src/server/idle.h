#pragma once
// When a server ends by itself or is told to.
#include <signal.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace perdure::server {

// What is said when it ends by itself.
inline constexpr std::string_view kIdle = "idle";

struct Activity {
  uint64_t requests = 0;  // so far
  uint64_t held = 0;      // that somebody waits for, or is streamed to, right now
};

// Blocks until one of `signals` comes: its name. With `idle_ms` above 0 also until nobody has asked
// anything and no task was open for so long: kIdle. `is_work_open` is asked at most once in that
// time.
std::string wait_for_end(const sigset_t& signals, int64_t idle_ms,
                         const std::function<Activity()>& activity,
                         const std::function<bool()>& is_work_open);

}  // namespace perdure::server
