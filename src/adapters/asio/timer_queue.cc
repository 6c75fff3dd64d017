#include "adapters/asio/timer_queue.h"

#include <algorithm>
#include <utility>

namespace perdure::http {

uint64_t TimerQueue::after(int64_t delay_ms, std::function<void()> callback) {
  // The clock is cut to whole milliseconds: one more, so that nothing is called early.
  const int64_t at_ms = Reactor::now_ms() + (delay_ms > 0 ? delay_ms + 1 : 0);
  uint64_t id = 0;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
    if (stopped_) return id;
    const auto [place, added] = calls_.emplace(Due{at_ms, id}, std::move(callback));
    at_ms_.emplace(id, at_ms);
    first = place == calls_.begin();
  }
  if (first) {
    reactor_.in_thread() ? arm() : reactor_.post([this] { arm(); });
  }
  return id;
}

void TimerQueue::cancel(uint64_t id) {
  std::function<void()> dropped;  // destroyed without the lock
  const std::lock_guard lock(mutex_);
  const auto found = at_ms_.find(id);
  if (found == at_ms_.end()) return;
  const auto call = calls_.find(Due{found->second, id});
  dropped = std::move(call->second);
  calls_.erase(call);
  at_ms_.erase(found);
}

void TimerQueue::stop() {
  std::map<Due, std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(calls_);
    at_ms_.clear();
  }
  alarm_.cancel();
}

// A cancelled first call leaves the alarm set: it then rings for nothing, and is set anew.
void TimerQueue::arm() {
  int64_t at_ms = 0;
  {
    const std::lock_guard lock(mutex_);
    if (calls_.empty()) return;
    at_ms = calls_.begin()->first.at_ms;
  }
  alarm_.set(std::max<int64_t>(at_ms - Reactor::now_ms(), 0), [this] { ring(); });
}

void TimerQueue::ring() {
  const int64_t now_ms = Reactor::now_ms();
  while (const auto call = take_due(now_ms)) call();
  arm();
}

std::function<void()> TimerQueue::take_due(int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  if (calls_.empty() || calls_.begin()->first.at_ms > now_ms) return nullptr;
  auto due = calls_.extract(calls_.begin());
  at_ms_.erase(due.key().id);
  return std::move(due.mapped());
}

}  // namespace perdure::http
