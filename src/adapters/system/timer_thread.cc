#include "adapters/system/timer_thread.h"

#include <algorithm>
#include <chrono>

namespace perdure {
namespace {

using std::chrono::steady_clock;

// A year: what is added to a time must not pass its end.
constexpr int64_t kMaxMs = 366LL * 86'400'000;

}  // namespace

TimerThread::TimerThread() : thread_([this] { run(); }) {}

TimerThread::~TimerThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

uint64_t TimerThread::after(int64_t delay_ms, std::function<void()> callback) {
  const auto delay = std::chrono::milliseconds(std::clamp<int64_t>(delay_ms, 0, kMaxMs));
  const std::lock_guard lock(mutex_);
  const Key key{steady_clock::now() + delay, ++last_id_};
  calls_.emplace(key, std::move(callback));
  keys_.emplace(key.second, key);
  changed_.notify_all();
  return key.second;
}

void TimerThread::cancel(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(id);
  if (found == keys_.end()) return;
  calls_.erase(found->second);
  keys_.erase(found);
}

void TimerThread::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (calls_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto next = calls_.begin();
    if (next->first.first > steady_clock::now()) {
      changed_.wait_until(lock, next->first.first);
      continue;
    }
    const auto callback = std::move(next->second);
    keys_.erase(next->first.second);
    calls_.erase(next);
    lock.unlock();
    callback();
    lock.lock();
  }
}

}  // namespace perdure
