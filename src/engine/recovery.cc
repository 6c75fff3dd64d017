// What time and restarts bring.
#include "base/log.h"
#include "engine/impl.h"

namespace perdure::engine {

bool Engine::Impl::fire_timers() {
  if (draining || now_ms() < timers.next_ms()) return false;
  auto due = timers.take_due(world.store, now_ms());
  if (!due) {
    log(LogLevel::kError, "timers.unreadable", {{"why", due.error().message}});
    return false;
  }
  for (TimerRow& row : *due) {
    ++metrics.timers_fired;
    take(TaskCommand{row.task, FireTimer{std::move(row.timer)}, {}});
  }
  return !due->empty();
}

// Tasks that something was under way for, a page at a time: new work is served meanwhile.
bool Engine::Impl::recover_some() {
  if (!recovering || draining || live.size() >= options.live_max) return false;
  auto page = world.store.runnable(recovered_upto, options.recover_page);
  if (!page) {
    log(LogLevel::kError, "recovery.unreadable", {{"why", page.error().message}});
    recovering = false;
    return false;
  }
  for (const TaskId& id : *page) {
    recovered_upto = id;
    ++metrics.recovered;
    if (const auto task = find_or_load(id); task) evict(id);
  }
  recovering = page->size() == options.recover_page;
  return !page->empty();
}

}  // namespace perdure::engine
