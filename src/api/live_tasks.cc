#include "api/live_tasks.h"

#include <algorithm>

namespace perdure::api {

void LiveTasks::subscribe(const TaskId& task, std::shared_ptr<Listener> listener) {
  const std::lock_guard lock(mutex_);
  listeners_[task].push_back(std::move(listener));
}

void LiveTasks::unsubscribe(const TaskId& task, const Listener* listener) {
  std::shared_ptr<Listener> last;  // outlives the lock
  const std::lock_guard lock(mutex_);
  const auto found = listeners_.find(task);
  if (found == listeners_.end()) return;
  Listeners& all = found->second;
  const auto mine =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.get() == listener; });
  if (mine == all.end()) return;
  last = std::move(*mine);
  all.erase(mine);
  if (all.empty()) listeners_.erase(found);
}

void LiveTasks::publish_delta(const TaskId& task, const StepId& step, uint32_t attempt,
                              std::string_view text) {
  for (const auto& listener : of(task)) listener->on_delta(step, attempt, text);
}

void LiveTasks::on_quarantined(const TaskId& task) {
  for (const auto& listener : of(task)) listener->on_damaged();
}

LiveTasks::Listeners LiveTasks::of(const TaskId& task) {
  const std::lock_guard lock(mutex_);
  const auto found = listeners_.find(task);
  return found == listeners_.end() ? Listeners() : found->second;
}

void LiveTasks::on_durable(std::span<const engine::Committed> tasks) {
  std::vector<std::pair<std::shared_ptr<Listener>, std::span<const Record>>> told;
  {
    const std::lock_guard lock(mutex_);
    if (listeners_.empty()) return;
    for (const engine::Committed& task : tasks) {
      const auto found = listeners_.find(task.task);
      if (found == listeners_.end()) continue;
      for (const auto& listener : found->second) told.emplace_back(listener, task.records);
    }
  }
  for (const auto& [listener, records] : told) listener->on_records(records);
}

}  // namespace perdure::api
