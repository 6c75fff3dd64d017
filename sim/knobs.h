#pragma once
// What differs from seed to seed: sizes that are usually large made small, and a swarm of faults of
// which each seed has only some. Rates are per mille.
#include <cstdint>
#include <string>

#include "dice.h"
#include "engine/engine.h"

namespace perdure::sim {

// Raised when a change makes old seeds mean other worlds.
inline constexpr int kKnobsVersion = 4;

struct Knobs {
  engine::Options engine;

  // How much there is to do.
  int64_t tasks = 4;
  int64_t turns_max = 6;
  int64_t safety_events = 300;

  // The store.
  int64_t commit_us_max = 2'000;
  uint32_t commit_slow = 0;  // stands still for seconds
  uint32_t commit_unknown = 0;
  uint32_t commit_refused = 0;  // another process takes the task over
  uint32_t commit_failed = 0;
  uint32_t read_failed = 0;
  bool snapshots = true;
  uint32_t snapshot_failed = 0;  // to be found, or to be written

  // The process.
  uint32_t crash = 0;            // before an event
  uint32_t crash_at_output = 0;  // in the middle of what one step releases
  uint32_t crash_in_recovery = 0;
  uint32_t long_downtime = 0;
  uint32_t wall_jumps = 0;

  // The network and who stands behind it.
  int64_t delay_us_max = 200'000;
  uint32_t not_sent = 0;
  uint32_t lost_request = 0;
  uint32_t lost_answer = 0;
  uint32_t late_request = 0;  // arrives after its sender gave up
  uint32_t late_answer = 0;   // comes by another way after the request timed out
  uint32_t receiver_busy = 0;
  uint32_t receiver_refuses = 0;
  uint32_t receiver_breaks = 0;  // 5xx, before or after it applied
  uint32_t receiver_slow = 0;    // applies after it has answered "in progress"
  uint32_t model_trouble = 0;

  // Planners.
  bool planner_in_process = false;
  uint32_t planner_malformed = 0;
  uint32_t planner_fails = 0;
  uint32_t planner_dead = 0;
  uint32_t planner_slow = 0;
  uint32_t planner_repeats = 0;
  uint32_t planner_stale = 0;
  uint32_t guarded = 300;
  uint32_t scripts = 200;  // of the tasks, per mille; the rest is the random planner's
  uint32_t agents = 200;

  // Clients and people.
  uint32_t over_http = 500;  // of submissions and decisions, and of streams
  uint32_t limited = 0;      // tasks with a budget
  uint32_t cancel = 0;
  uint32_t impatient = 0;  // the client repeats before it was answered
  uint32_t contradictory = 0;
  uint32_t early_timers = 0;  // somebody says that a timer is due, and it is not
  uint32_t large_payload = 0;

  static Knobs draw(Dice& dice);
  void heal();  // no more faults
  std::string describe() const;
};

}  // namespace perdure::sim
