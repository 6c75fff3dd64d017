#pragma once
// Virtual time and what will happen in it, in order of (time, number). One thread.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "ports/clock.h"

namespace perdure::sim {

class Schedule {
 public:
  using Id = std::pair<int64_t, uint64_t>;

  int64_t now_us() const { return now_us_; }
  Id at(int64_t time_us, std::function<void()> event) {
    const Id id(time_us < now_us_ ? now_us_ : time_us, ++count_);
    events_.emplace(id, std::move(event));
    return id;
  }
  Id after(int64_t delay_us, std::function<void()> event) {
    return at(now_us_ + delay_us, std::move(event));
  }
  bool cancel(const Id& id) { return events_.erase(id) > 0; }
  std::optional<int64_t> next_us() const {
    if (events_.empty()) return std::nullopt;
    return events_.begin()->first.first;
  }
  // False if nothing will ever happen.
  bool step() {
    if (events_.empty()) return false;
    auto event = events_.extract(events_.begin());
    now_us_ = event.key().first;
    event.mapped()();
    return true;
  }

 private:
  int64_t now_us_ = 0;
  uint64_t count_ = 0;
  std::map<Id, std::function<void()>> events_;
};

// The store's clock: virtual time, and a wall that may jump by a little.
class SimClock : public Clock {
 public:
  explicit SimClock(const Schedule& schedule) : schedule_(schedule) {}
  int64_t unix_ms() override { return kBaseMs + schedule_.now_us() / 1000 + jump_ms_; }
  int64_t monotonic_us() override { return schedule_.now_us(); }
  void jump_to(int64_t offset_ms) {
    jump_ms_ = offset_ms;
    low_ms_ = std::min(low_ms_, offset_ms);
    high_ms_ = std::max(high_ms_, offset_ms);
  }
  // By so much two looks at the wall may disagree.
  int64_t jumped_ms() const { return high_ms_ - low_ms_; }
  int64_t jump_ms() const { return jump_ms_; }
  // When the wall will show `unix_ms`, if it does not jump again.
  int64_t us_of(int64_t wall_ms) const { return (wall_ms - kBaseMs - jump_ms_) * 1000; }

 private:
  static constexpr int64_t kBaseMs = 1'800'000'000'000;
  const Schedule& schedule_;
  int64_t jump_ms_ = 0, low_ms_ = 0, high_ms_ = 0;
};

}  // namespace perdure::sim
