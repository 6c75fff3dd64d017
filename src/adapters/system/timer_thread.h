#pragma once
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "ports/timers.h"

namespace perdure {

// Timers on a thread of their own: what they call must be short.
class TimerThread final : public Timers {
 public:
  TimerThread();
  ~TimerThread() override;  // what is not due yet is dropped

  uint64_t after(int64_t delay_ms, std::function<void()> callback) override;
  // Does not wait for one that is being called.
  void cancel(uint64_t id) override;

 private:
  using Key = std::pair<std::chrono::steady_clock::time_point, uint64_t>;

  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  uint64_t last_id_ = 0;
  std::map<Key, std::function<void()>> calls_;
  std::map<uint64_t, Key> keys_;
  std::thread thread_;
};

}  // namespace perdure
