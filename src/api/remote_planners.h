#pragma once
// Planners in other processes. They ask for work and answer it over HTTP: a plan waits without a
// limit until one of its tenant's pollers takes it, and then has a lease. Thread-safe.
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/shares.h"
#include "ports/planner.h"
#include "ports/timers.h"

namespace perdure::api {

struct RemotePlannersOptions {
  int64_t lease_ms = 60'000;  // from hand-out to answer; then the turn is rejected
  // Of one name, and of all tenants together (base/shares.h).
  size_t waiting_max = 100'000;  // plans; beyond, the turn is rejected: planned later
  size_t pollers_max = 10'000;   // beyond, a poll is answered at once
  size_t names_max = 256;
};

class PlannerDoor;

class RemotePlanners {
 public:
  // `timers` outlives it. Destroy it when neither timers nor the engine call any more.
  RemotePlanners(Timers& timers, RemotePlannersOptions options);
  ~RemotePlanners();

  // The planner of that name, made if it is new; null if there are too many. It lives as long as
  // this. For names that the operator's agents use, and for whoever polls: `tenant`, of which each
  // has a share of the names.
  Planner* add(const std::string& name, const std::string& tenant = {});
  // Null if nobody added it.
  Planner* find(const std::string& name);

  // The plan that was taken, or nothing when the time is up. Called once, on a server thread.
  using Taken = std::function<void(std::optional<PlanRequest>)>;
  // Returns the ticket for `leave`.
  uint64_t poll(const std::string& name, const std::string& tenant, const std::string& version,
                int64_t wait_ms, Taken taken);
  // The poller has gone: what is handed to it from now on goes back into the queue.
  void leave(const std::string& name, uint64_t ticket);

  struct Leased {
    std::string tenant, agent_version;
  };
  // Who was handed this turn, while the lease lasts.
  std::optional<Leased> lease_of(const std::string& name, const TaskId& task, uint64_t turn);
  // The engine has taken or refused an answer for this turn: its lease ends.
  void settled(const std::string& name, const TaskId& task, uint64_t turn, Seq upto_seq);
  // The turn cannot be handed out; the engine plans it again later.
  void give_up(const std::string& name, const TaskId& task, uint64_t turn, const Error& why);

  struct Count {
    std::string name;
    size_t waiting = 0, leased = 0, pollers = 0;
    uint64_t expired = 0;  // leases, ever
  };
  std::vector<Count> counts();
  int64_t lease_ms() const { return options_.lease_ms; }

 private:
  std::shared_ptr<PlannerDoor> door(const std::string& name);

  Timers& timers_;
  const RemotePlannersOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<PlannerDoor>> doors_;
  Shares names_;  // of `doors_`
};

}  // namespace perdure::api
