#pragma once
// The timers that are due soon. All others are rows in the store and cost no memory.
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "ports/store.h"

namespace perdure::engine {

class DueTimers {
 public:
  // Takes note of timers that have just become durable.
  void add(const std::vector<TimerRow>& set);

  // Whether there is something to take. A clock that went back makes it ask the store again: what
  // was taken then may have been refused as too early.
  bool is_due(int64_t now_ms);
  // The store had more that was due than was read.
  bool is_partial() const { return partial_; }

  // Timers due at `now_ms`, and rows that are damaged. Reads the store when what is known ends; an
  // error of the store is returned.
  Result<std::vector<TimerRow>> take_due(StoreReader& store, int64_t now_ms);

  // When to ask again.
  int64_t next_ms() const;

 private:
  using Entry = std::tuple<int64_t, TaskId, TimerId>;
  std::set<Entry> soon_;
  int64_t known_until_ms_ = INT64_MIN;  // every durable timer due by then is in soon_
  int64_t last_ms_ = INT64_MIN;
  bool partial_ = false;
};

}  // namespace perdure::engine
