#include "engine/due_timers.h"

#include <algorithm>

namespace perdure::engine {
namespace {

constexpr int64_t kWindowMs = 60'000;
constexpr size_t kReadMax = 4096;

}  // namespace

void DueTimers::add(const std::vector<TimerRow>& set) {
  for (const TimerRow& row : set) {
    if (row.due_ms <= known_until_ms_) soon_.emplace(row.due_ms, row.task, row.timer);
  }
}

bool DueTimers::is_due(int64_t now_ms) {
  if (now_ms < last_ms_) known_until_ms_ = INT64_MIN;
  last_ms_ = now_ms;
  return now_ms >= next_ms();
}

Result<std::vector<TimerRow>> DueTimers::take_due(StoreReader& store, int64_t now_ms) {
  std::vector<TimerRow> due;
  if (now_ms >= known_until_ms_) {
    TRY_ASSIGN(const std::vector<TimerRow> rows, store.timers_due(now_ms + kWindowMs, kReadMax));
    for (const TimerRow& row : rows) {
      if (row.damaged) {
        due.push_back(row);
      } else {
        soon_.emplace(row.due_ms, row.task, row.timer);
      }
    }
    known_until_ms_ =
        rows.size() < kReadMax ? now_ms + kWindowMs : std::max(now_ms, rows.back().due_ms - 1);
    partial_ = rows.size() == kReadMax && rows.back().due_ms <= now_ms;
  }
  while (!soon_.empty() && std::get<0>(*soon_.begin()) <= now_ms) {
    const auto& [due_ms, task, timer] = *soon_.begin();
    due.push_back({task, timer, due_ms});
    soon_.erase(soon_.begin());
  }
  return due;
}

int64_t DueTimers::next_ms() const {
  return soon_.empty() ? known_until_ms_ : std::min(std::get<0>(*soon_.begin()), known_until_ms_);
}

}  // namespace perdure::engine
