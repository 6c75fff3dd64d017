// What time and restarts bring.
#include "base/log.h"
#include "engine/impl.h"

namespace perdure::engine {

namespace {

constexpr int64_t kAgainUs = 1'000'000;  // after the store could not be read

}  // namespace

// More timers than are read at once are overdue: those that fired must be durable before the store
// is asked for the rest, or it names the same again.
bool Engine::Impl::may_fire() const {
  return !draining && steady && !(timers.is_partial() && (under_way || !open.empty()));
}

bool Engine::Impl::fire_timers() {
  steady = clock_watch.is_steady(now_ms(), now_us());
  if (const auto leap_ms = clock_watch.take_leap_ms()) {
    log(LogLevel::kError, "clock.leapt",
        {{"by_ms", std::to_string(*leap_ms)}, {"now", "timers wait until it has been steady"}});
  }
  if (!may_fire() || now_us() < fire_after_us || !timers.is_due(now_ms())) return false;
  auto due = timers.take_due(world.store, now_ms());
  if (!due) {
    log(LogLevel::kError, "timers.unreadable", {{"why", due.error().message}});
    fire_after_us = now_us() + kAgainUs;
    return false;
  }
  for (TimerRow& row : *due) {
    if (row.damaged) {
      examine(row.task, "the row of a timer is not what was written");
      continue;
    }
    ++metrics.timers_fired;
    take(TaskCommand{row.task, FireTimer{std::move(row.timer)}, {}});
  }
  return !due->empty();
}

// Tasks that something was under way for, a page at a time: new work is served meanwhile.
bool Engine::Impl::recover_some(size_t tasks_max) {
  if (!may_recover() || now_us() < recover_after_us) return false;
  const auto page = next_to_recover(tasks_max);
  if (!page) {
    log(LogLevel::kError, "recovery.unreadable", {{"why", page.error().message}});
    recover_after_us = now_us() + kAgainUs;
    return false;
  }
  for (const TaskId& id : *page) {
    if (live.contains(id) || quarantine.holds(id)) continue;
    Loading& entry = load(id);
    if (!entry.recovers) ++recoveries;
    entry.recovers = true;
  }
  start_loads();
  return !page->empty() || end_recovery();
}

// Once every task was looked at, and none could not be read.
bool Engine::Impl::end_recovery() {
  if (!listed || recoveries > 0) return false;
  if (!unreadable.empty()) {
    recover_after_us = now_us() + kAgainUs;
    return false;
  }
  recovering = false;
  log(LogLevel::kInfo, "recovery.finished", {{"tasks", std::to_string(metrics.recovered)}});
  return true;
}

bool Engine::Impl::may_recover() const {
  // Nobody knows when a planner elsewhere or a person answers: the others do not wait for them.
  return recovering && !draining && !(listed && recoveries > 0) &&
         recoveries < options.recover_page && live.size() - waits_outside.size() < options.live_max;
}

Result<std::vector<TaskId>> Engine::Impl::next_to_recover(size_t tasks_max) {
  if (listed) {
    std::vector<TaskId> again(unreadable.begin(), unreadable.end());
    unreadable.clear();
    return again;
  }
  TRY_ASSIGN(std::vector<TaskId> page, world.store.runnable(recovered_upto, tasks_max));
  if (!page.empty()) recovered_upto = page.back();
  listed = page.size() < tasks_max;
  return page;
}

}  // namespace perdure::engine
