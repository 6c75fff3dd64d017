#include "runtime/engine_thread.h"

#include <algorithm>

namespace perdure::runtime {

void EngineThread::start() {
  thread_ = std::thread([this] { run(); });
}

void EngineThread::stop(int64_t grace_ms) {
  if (!thread_.joinable()) return;
  stop_at_us_ = clock_.monotonic_us() + grace_ms * 1000;
  stopping_ = true;
  engine_.drain();
  thread_.join();
}

void EngineThread::run() {
  for (;;) {
    const bool worked = engine_.pump();
    const int64_t now_us = clock_.monotonic_us();
    const bool late = stopping_ && now_us >= stop_at_us_;
    if (late || (stopping_ && !worked && engine_.is_drained())) return engine_.halt();
    if (worked) continue;
    int64_t wait_us = std::max<int64_t>(engine_.next_wake_us() - now_us, 0);
    if (stopping_) wait_us = std::min<int64_t>(wait_us, stop_at_us_ - now_us);
    if (wait_us > 0) engine_.mailbox().wait(wait_us);
  }
}

}  // namespace perdure::runtime
