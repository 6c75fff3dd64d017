#include "api/remote_planners.h"

#include "api/planner_door.h"

namespace perdure::api {

RemotePlanners::RemotePlanners(Timers& timers, RemotePlannersOptions options)
    : timers_(timers), options_(options), names_(options.names_max) {}

RemotePlanners::~RemotePlanners() = default;

std::shared_ptr<PlannerDoor> RemotePlanners::door(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = doors_.find(name);
  return found == doors_.end() ? nullptr : found->second;
}

Planner* RemotePlanners::add(const std::string& name, const std::string& tenant) {
  const std::lock_guard lock(mutex_);
  auto found = doors_.find(name);
  if (found == doors_.end()) {
    if (!names_.take(tenant)) return nullptr;
    found = doors_.emplace(name, std::make_shared<PlannerDoor>(name, timers_, options_)).first;
  }
  return found->second.get();
}

Planner* RemotePlanners::find(const std::string& name) {
  return door(name).get();
}

uint64_t RemotePlanners::poll(const std::string& name, const std::string& tenant,
                              const std::string& version, int64_t wait_ms, Taken taken) {
  if (const auto at = door(name)) return at->poll(tenant, version, wait_ms, std::move(taken));
  taken(std::nullopt);
  return 0;
}

void RemotePlanners::leave(const std::string& name, uint64_t ticket) {
  if (const auto at = door(name)) at->leave(ticket);
}

std::optional<RemotePlanners::Leased> RemotePlanners::lease_of(const std::string& name,
                                                               const TaskId& task, uint64_t turn) {
  const auto at = door(name);
  return at ? at->lease_of(task, turn) : std::nullopt;
}

void RemotePlanners::settled(const std::string& name, const TaskId& task, uint64_t turn,
                             Seq upto_seq) {
  if (const auto at = door(name)) at->settled(task, turn, upto_seq);
}

void RemotePlanners::give_up(const std::string& name, const TaskId& task, uint64_t turn,
                             const Error& why) {
  if (const auto at = door(name)) at->give_up(task, turn, why);
}

std::vector<RemotePlanners::Count> RemotePlanners::counts() {
  std::vector<std::shared_ptr<PlannerDoor>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, at] : doors_) all.push_back(at);
  }
  std::vector<Count> counts;
  for (const auto& at : all) counts.push_back(at->count());
  return counts;
}

}  // namespace perdure::api
