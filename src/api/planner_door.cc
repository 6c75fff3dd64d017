#include "api/planner_door.h"

#include <fmt/core.h>

#include <algorithm>

namespace perdure::api {

void PlannerDoor::forget(const TaskId& task) {
  const auto found = offers_.find(task);
  if (found == offers_.end()) return;
  if (found->second.leased) {
    --leased_;
    timers_.cancel(found->second.lease_timer);
  } else {
    waiting_.give_back(found->second.request.tenant);
  }
  offers_.erase(found);
}

void PlannerDoor::plan(PlanRequest request, Done done) {
  {
    const std::lock_guard lock(mutex_);
    forget(request.task);
    if (waiting_.take(request.tenant)) {
      const uint64_t number = ++last_number_;
      const TaskId task = request.task;
      const std::string tenant = request.tenant;
      offers_[task] = {std::move(request), std::move(done), number, 0, false};
      tenants_[tenant].waiting.emplace_back(task, number);
      return match(tenant);
    }
  }
  done(fail(Code::kExhausted,
            fmt::format("as many plans of this tenant wait for planner '{}' as one tenant may have "
                        "while {} of {} wait",
                        name_, waiting_.used(), waiting_.total())));
}

PlannerDoor::Offer* PlannerDoor::next_waiting(Tenant& tenant) {
  while (!tenant.waiting.empty()) {
    const auto [task, number] = tenant.waiting.front();
    const auto found = offers_.find(task);
    const bool stands = found != offers_.end() && found->second.number == number;
    if (stands && !found->second.leased) return &found->second;
    tenant.waiting.pop_front();
  }
  return nullptr;
}

void PlannerDoor::match(const std::string& name) {
  Tenant& tenant = tenants_[name];
  while (!tenant.pollers.empty()) {
    Offer* offer = next_waiting(tenant);
    if (offer == nullptr) return;
    tenant.waiting.pop_front();
    Poller poller = std::move(tenant.pollers.front());
    tenant.pollers.pop_front();
    pollers_.give_back(name);
    hand_out(*offer, std::move(poller));
  }
}

void PlannerDoor::hand_out(Offer& offer, Poller poller) {
  const TaskId task = offer.request.task;
  const uint64_t number = offer.number;
  if (poller.wait_timer != 0) timers_.cancel(poller.wait_timer);
  offer.leased = true;
  ++leased_;
  waiting_.give_back(offer.request.tenant);
  offer.lease_timer = timers_.after(
      options_.lease_ms, [self = shared_from_this(), task, number, version = poller.version] {
        self->expire(task, number, version);
      });
  handing_[poller.ticket] = false;
  timers_.after(0,
                [self = shared_from_this(), task, number, ticket = poller.ticket,
                 taken = std::move(poller.taken)] { self->deliver(task, number, ticket, taken); });
}

void PlannerDoor::deliver(const TaskId& task, uint64_t number, uint64_t ticket,
                          const RemotePlanners::Taken& taken) {
  std::optional<PlanRequest> request;
  {
    const std::lock_guard lock(mutex_);
    const bool gone = handing_[ticket];
    handing_.erase(ticket);
    const auto found = offers_.find(task);
    const bool stands = found != offers_.end() && found->second.number == number;
    if (stands && gone) {
      Offer& offer = found->second;
      timers_.cancel(offer.lease_timer);
      offer.leased = false;
      --leased_;
      waiting_.add(offer.request.tenant);
      tenants_[offer.request.tenant].waiting.emplace_front(task, number);
      match(offer.request.tenant);
    } else if (stands) {
      request = found->second.request;
      found->second.request.news.clear();
    }
  }
  taken(std::move(request));
}

void PlannerDoor::expire(const TaskId& task, uint64_t number, const std::string& version) {
  Done done;
  {
    const std::lock_guard lock(mutex_);
    const auto found = offers_.find(task);
    if (found == offers_.end() || found->second.number != number) return;
    if (!found->second.leased) return;
    done = std::move(found->second.done);
    --leased_;
    ++expired_;
    offers_.erase(found);
  }
  done(fail(Code::kTimeout, fmt::format("planner '{}' (version {}) did not answer within {} s",
                                        name_, version, options_.lease_ms / 1000)));
}

uint64_t PlannerDoor::poll(const std::string& tenant, const std::string& version, int64_t wait_ms,
                           RemotePlanners::Taken taken) {
  std::unique_lock lock(mutex_);
  const uint64_t ticket = ++last_number_;
  Tenant& mine = tenants_[tenant];
  const bool at_once = wait_ms <= 0 || !pollers_.has_room(tenant);
  if (at_once && next_waiting(mine) == nullptr) {
    lock.unlock();
    taken(std::nullopt);
    return ticket;
  }
  Poller poller{ticket, version, 0, std::move(taken)};
  if (!at_once) {
    poller.wait_timer = timers_.after(
        wait_ms, [self = shared_from_this(), tenant, ticket] { self->end_wait(tenant, ticket); });
  }
  pollers_.add(tenant);
  mine.pollers.push_back(std::move(poller));
  match(tenant);
  return ticket;
}

void PlannerDoor::end_wait(const std::string& tenant, uint64_t ticket) {
  RemotePlanners::Taken taken;
  {
    const std::lock_guard lock(mutex_);
    std::deque<Poller>& all = tenants_[tenant].pollers;
    const auto mine = std::find_if(all.begin(), all.end(),
                                   [&](const Poller& one) { return one.ticket == ticket; });
    if (mine == all.end()) return;
    taken = std::move(mine->taken);
    all.erase(mine);
    pollers_.give_back(tenant);
  }
  taken(std::nullopt);
}

void PlannerDoor::leave(uint64_t ticket) {
  RemotePlanners::Taken taken;  // outlives the lock
  const std::lock_guard lock(mutex_);
  if (const auto found = handing_.find(ticket); found != handing_.end()) found->second = true;
  for (auto& [name, tenant] : tenants_) {
    const auto mine = std::find_if(tenant.pollers.begin(), tenant.pollers.end(),
                                   [&](const Poller& one) { return one.ticket == ticket; });
    if (mine == tenant.pollers.end()) continue;
    if (mine->wait_timer != 0) timers_.cancel(mine->wait_timer);
    taken = std::move(mine->taken);
    tenant.pollers.erase(mine);
    pollers_.give_back(name);
    return;
  }
}

std::optional<RemotePlanners::Leased> PlannerDoor::lease_of(const TaskId& task, uint64_t turn) {
  const std::lock_guard lock(mutex_);
  const auto found = offers_.find(task);
  if (found == offers_.end() || !found->second.leased) return std::nullopt;
  const PlanRequest& request = found->second.request;
  if (request.plan.turn != turn) return std::nullopt;
  return RemotePlanners::Leased{request.tenant, request.agent_version};
}

void PlannerDoor::settled(const TaskId& task, uint64_t turn, Seq upto_seq) {
  const std::lock_guard lock(mutex_);
  const auto found = offers_.find(task);
  if (found == offers_.end()) return;
  const Plan& plan = found->second.request.plan;
  if (plan.turn == turn && plan.upto_seq == upto_seq) forget(task);
}

void PlannerDoor::give_up(const TaskId& task, uint64_t turn, Error why) {
  Done done;
  {
    const std::lock_guard lock(mutex_);
    const auto found = offers_.find(task);
    if (found == offers_.end() || found->second.request.plan.turn != turn) return;
    done = std::move(found->second.done);
    forget(task);
  }
  done(tl::unexpected(std::move(why)));
}

RemotePlanners::Count PlannerDoor::count() {
  const std::lock_guard lock(mutex_);
  return {name_, waiting_.used(), leased_, pollers_.used(), expired_};
}

}  // namespace perdure::api
