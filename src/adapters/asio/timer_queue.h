#pragma once
// Timers on a reactor: any number of pending calls behind one alarm.
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_map>

#include "adapters/asio/reactor.h"
#include "ports/timers.h"

namespace perdure::http {

// Any thread; outlives the reactor's run.
class TimerQueue final : public Timers {
 public:
  explicit TimerQueue(Reactor& reactor) : reactor_(reactor), alarm_(reactor) {}

  uint64_t after(int64_t delay_ms, std::function<void()> callback) override;
  void cancel(uint64_t id) override;
  // On the reactor's thread: nothing is called any more.
  void stop();

 private:
  struct Due {
    int64_t at_ms;
    uint64_t id;
    auto operator<=>(const Due&) const = default;
  };

  void arm();
  void ring();
  std::function<void()> take_due(int64_t now_ms);

  Reactor& reactor_;
  Alarm alarm_;  // the reactor's thread
  std::mutex mutex_;
  uint64_t last_id_ = 0;
  bool stopped_ = false;
  std::map<Due, std::function<void()>> calls_;
  std::unordered_map<uint64_t, int64_t> at_ms_;
};

}  // namespace perdure::http
