#pragma once
// Delayed work.
#include <cstdint>
#include <functional>

namespace perdure {

class Timers {
 public:
  virtual ~Timers() = default;
  // Both thread-safe. `callback` runs once after `delay_ms`, on a thread of the timers, unless
  // `cancel` is called before.
  virtual uint64_t after(int64_t delay_ms, std::function<void()> callback) = 0;
  virtual void cancel(uint64_t id) = 0;
};

}  // namespace perdure
