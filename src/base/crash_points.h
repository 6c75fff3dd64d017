#pragma once
// Every place where the kill rig can end the process. `perdure crash-points` prints them in
// instrumented builds.
#ifdef PERDURE_TEST_HOOKS
#include <array>
#include <string_view>

namespace perdure::hooks {

inline constexpr std::array<std::string_view, 14> kCrashPoints = {
    "engine.before_commit",     // a batch is decided, nothing of it is on disk
    "engine.after_commit",      // durable, and nobody has been told
    "engine.before_release",    // before each reply or request of a durable batch
    "engine.after_release",     // the request has been handed to its executor
    "engine.outcome_received",  // an answer from outside is known to this process alone
    "engine.before_recover",    // a task with open intents was loaded after a restart
    "engine.after_recover",     // its doubts are decided, not durable
    "store.opened",             // the new incarnation is durable
    "store.in_transaction",     // rows are written, the transaction is open
    "store.before_checkpoint",
    "store.after_checkpoint",
    "blob.before_rename",    // the bytes are on disk under a temporary name
    "blob.after_rename",     // named, the directory not yet synced
    "http.before_response",  // the answer to a client is about to be written
};

constexpr bool is_crash_point(std::string_view name) {
  for (const std::string_view point : kCrashPoints) {
    if (point == name) return true;
  }
  return false;
}

}  // namespace perdure::hooks
#endif
