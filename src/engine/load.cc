// Tasks that are not in memory: read and folded apart from the engine's thread, while what comes
// for them waits in order.
#include <fmt/core.h>

#include "base/hooks.h"
#include "base/log.h"
#include "engine/impl.h"

namespace perdure::engine {
namespace {

// Damage is declared after a second read: what the first one met may have passed.
std::shared_ptr<Read> load_twice(const LoadFrom& from, const TaskId& id) {
  auto out = std::make_shared<Read>();
  out->live = load(from, id, out->reached);
  if (!out->live && is_damage(out->live.error().code)) out->live = load(from, id, out->reached);
  return out;
}

}  // namespace

Loading& Engine::Impl::load(const TaskId& id, const std::string& tenant) {
  const auto [entry, is_new] = loading.try_emplace(id);
  Loading& wanted = entry->second;
  const bool first_client = wanted.tenant.empty() && !tenant.empty() && !wanted.began;
  if (first_client) wanted.tenant = tenant;
  if (is_new || first_client) to_load.add(tenant, id);
  return wanted;
}

void Engine::Impl::start_loads() {
  while (loads_under_way < options.loads_max && !to_load.empty()) {
    const TaskId id = to_load.take();
    const auto wanted = loading.find(id);
    if (wanted == loading.end() || wanted->second.began) continue;
    wanted->second.began = true;
    ++loads_under_way;
    const auto work = [this, id] { mailbox.put(Loaded{id, load_twice(load_from(), id)}); };
    if (world.apart) {
      world.apart(work);
    } else {
      work();
    }
  }
}

void Engine::Impl::take(Loaded&& input) {
  --loads_under_way;
  const TaskId id = input.task;
  Loading ended = std::move(loading.at(id));
  loading.erase(id);
  if (ended.recovers) --recoveries;
  start_loads();
  auto read = std::move(input.read->live);
  if (const auto damage = quarantine.find(id)) {  // found by somebody else meanwhile
    read = tl::unexpected(error_of(*damage));
  }
  if (read && *read) {
    // What only recovers begins nothing while the server ends.
    if (draining && ended.waiting.empty()) return;
    Live& task = *live.emplace(id, std::move(*read)).first->second;
    hooks::crash_point("engine.before_recover");
    if (!task.task.state.ended) apply(task, Recover{}, {});
    task.task.recovered = true;
    hooks::crash_point("engine.after_recover");
    serve(id, std::move(ended.waiting));
    if (ended.recovers) ++metrics.recovered, end_recovery();
    return;
  }
  Error error{Code::kNotFound, "there is no task " + id.to_string()};
  if (!read) {
    error = read.error();
    if (is_damage(error.code)) {
      take(DamageFound{id, input.read->reached, error.message});
      error = error_of(*quarantine.find(id));
    } else if (ended.recovers) {
      log(LogLevel::kError, "recovery.unreadable", {{"why", error.message}});
      unreadable.insert(id);
    }
  }
  for (TaskCommand& command : ended.waiting) refuse(std::move(command), error);
  if (ended.recovers) end_recovery();
}

void Engine::Impl::serve(const TaskId& id, std::vector<TaskCommand> waiting) {
  for (TaskCommand& command : waiting) apply(*live.at(id), std::move(command));
  evict(id);
}

}  // namespace perdure::engine
