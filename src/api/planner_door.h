#pragma once
// The queue of one remote planner: plans that wait, plans that are leased, and pollers that wait
// for plans. Not for other folders.
#include <deque>
#include <map>
#include <optional>

#include "api/remote_planners.h"
#include "base/shares.h"

namespace perdure::api {

class PlannerDoor : public Planner, public std::enable_shared_from_this<PlannerDoor> {
 public:
  PlannerDoor(std::string name, Timers& timers, const RemotePlannersOptions& options)
      : name_(std::move(name)),
        timers_(timers),
        options_(options),
        waiting_(options.waiting_max),
        pollers_(options.pollers_max) {}

  bool in_process() const override { return false; }
  void plan(PlanRequest request, Done done) override;

  uint64_t poll(const std::string& tenant, const std::string& version, int64_t wait_ms,
                RemotePlanners::Taken taken);
  void leave(uint64_t ticket);
  std::optional<RemotePlanners::Leased> lease_of(const TaskId& task, uint64_t turn);
  void settled(const TaskId& task, uint64_t turn, Seq upto_seq);
  void give_up(const TaskId& task, uint64_t turn, Error why);
  RemotePlanners::Count count();

 private:
  // The newest plan of a task: at most one.
  struct Offer {
    PlanRequest request;
    Done done;
    uint64_t number = 0;       // tells this offer from an earlier one of the same task
    uint64_t lease_timer = 0;  // zero: it waits
    bool leased = false;
  };
  struct Poller {
    uint64_t ticket = 0;
    std::string version;
    uint64_t wait_timer = 0;
    RemotePlanners::Taken taken;
  };
  struct Tenant {
    std::deque<std::pair<TaskId, uint64_t>> waiting;  // (task, number); replaced ones are skipped
    std::deque<Poller> pollers;
  };

  // With mutex_ held:
  void match(const std::string& tenant);
  Offer* next_waiting(Tenant& tenant);
  void hand_out(Offer& offer, Poller poller);
  void forget(const TaskId& task);

  void deliver(const TaskId& task, uint64_t number, uint64_t ticket,
               const RemotePlanners::Taken& taken);
  void expire(const TaskId& task, uint64_t number, const std::string& version);
  void end_wait(const std::string& tenant, uint64_t ticket);

  const std::string name_;
  Timers& timers_;
  const RemotePlannersOptions options_;
  std::mutex mutex_;
  std::map<TaskId, Offer> offers_;
  std::map<std::string, Tenant> tenants_;
  std::map<uint64_t, bool> handing_;  // ticket of a delivery under way -> whether the poller left
  Shares waiting_;                    // plans
  Shares pollers_;
  size_t leased_ = 0;
  uint64_t expired_ = 0;
  uint64_t last_number_ = 0;
};

}  // namespace perdure::api
