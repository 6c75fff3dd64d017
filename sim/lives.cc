// The lives of the process in a world, and the phases of the world itself.
#include <fmt/core.h>

#include <algorithm>

#include "process.h"
#include "world.h"

namespace perdure::sim {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kHourUs = 3'600 * kSecondUs;
constexpr uint64_t kShortRounds = 8;
constexpr int64_t kRestUs = 2 * kHourUs;  // no retry, lease or replan is longer
constexpr int64_t kLivenessUs = 60 * 24 * kHourUs;
constexpr uint64_t kEventsMax = 60'000;
constexpr int64_t kJumpMaxMs = 4'000;

}  // namespace

void World::start_process() {
  ++lives_;
  doomed_ = false;
  idle_rounds_ = 0;
  started_us_ = now_us();
  was_down_long_ = started_us_ - down_since_us_ > 60 * kSecondUs && lives_ > 1;
  if (lives_ > 1 && !healed_) decay();
  disk_.decay.begin_life();
  trace("starts", {}, lives_, [&] { return fmt::format("life {}", lives_); });
  process_ = std::make_unique<Process>(*this, disk_, network_, setup_);
  agent_version_ = process_->agent_version();
  std::erase_if(disk_.fences,
                [&](const auto& fence) { return fence.second <= process_->store().epoch(); });
  takeover_planned_ = false;
  pump_at(now_us());
}

// While no process looks.
void World::decay() {
  if (flips_left_ == 0 || !decay_dice_.chance(500) || !disk_.decay.flip_one(decay_dice_)) return;
  --flips_left_;
  fault();
  probe(Probe::kBitFlipped);
  trace("a bit flips", {}, lives_, [] { return std::string("at rest"); });
}

void World::crash(Probe why) {
  probe(why);
  if (now_us() - started_us_ < 100'000 && lives_ > 1) probe(Probe::kCrashInRecovery);
  ++outcome_.crashes;
  fault();
  trace("crash", {}, lives_, [] { return std::string("the process is gone"); });
  process_->store().crash();
  process_.reset();
  if (pump_) schedule_.cancel(*pump_);
  pump_.reset();
  doomed_ = false;
  down_since_us_ = now_us();
  restart_later();
}

void World::restart_later() {
  int64_t delay_us = dice_.between(0, 2 * kSecondUs);
  if (dice_.chance(knobs_.long_downtime)) delay_us = dice_.between(0, 2 * kHourUs);
  after(delay_us, "restart", [this] {
    if (process_) return;
    start_process();
    if (dice_.chance(knobs_.crash_in_recovery)) {
      in_process(dice_.between(0, 20'000), "dies young", [this] { doomed_ = true; });
    }
  });
}

void World::plan_takeover() {
  fault();
  if (takeover_planned_) return;
  takeover_planned_ = true;
  in_process(dice_.between(kSecondUs, 60 * kSecondUs), "takeover", [this] { doomed_ = true; });
}

void World::pump_at(int64_t time_us) {
  if (pump_ && pump_->first <= time_us) return;
  if (pump_) schedule_.cancel(*pump_);
  pump_ = schedule_.at(time_us, [this] { pump(); });
}

void World::pump() {
  pump_.reset();
  if (!process_) return;
  const bool worked = process_->engine().pump();
  trace_.tick(now_us(), worked ? "pump" : "idle");
  process_->compare_states();
  if (process_->failed()) doomed_ = true;
  if (worked) {
    idle_rounds_ = 0;
    pump_at(now_us() + dice_.between(0, 50));
  } else {
    ++idle_rounds_;
    pump_at(idle_until_us());
  }
}

// The loop of the server looks at least once a second; here the seconds in which it would find
// nothing are left out.
int64_t World::idle_until_us() {
  const int64_t wake_us = process_->engine().next_wake_us();
  if (wake_us < now_us() + kSecondUs) {
    return std::max(wake_us, now_us() + (500 << std::min<uint64_t>(idle_rounds_, 11)));
  }
  const int64_t soon_us =
      now_us() + kSecondUs * (int64_t{1} << std::min<uint64_t>(idle_rounds_, 6));
  int64_t until_us = now_us() + kHourUs;
  if (!disk_.rows.timers.empty()) {
    int64_t first_ms = INT64_MAX;
    for (const auto& [id, due_ms] : disk_.rows.timers) first_ms = std::min(first_ms, due_ms);
    const int64_t due_us = clock_.us_of(first_ms);
    until_us = due_us > now_us() ? due_us : soon_us;
  }
  // A recovery that could not read looks again after a second, whatever the timers say.
  return idle_rounds_ <= kShortRounds ? std::min(soon_us, until_us) : until_us;
}

void World::jump_wall() {
  const int64_t to_ms = dice_.between(-kJumpMaxMs, kJumpMaxMs);
  if (to_ms < clock_.jump_ms()) probe(Probe::kWallBack);
  trace("wall jumps", {}, static_cast<uint64_t>(to_ms - clock_.jump_ms()),
        [&] { return fmt::format("to {} ms", to_ms); });
  clock_.jump_to(to_ms);
  fault();
}

void World::step() {
  if (doomed_) crash(Probe::kCrash);
  if (process_ && dice_.chance(knobs_.crash)) crash(Probe::kCrash);
  if (dice_.chance(knobs_.wall_jumps)) jump_wall();
  poked_ = false;
  schedule_.step();
  if (process_ && !doomed_) {
    const int64_t soon_us = now_us() + dice_.between(0, 100);
    if (poked_ || process_->engine().mailbox().size() > 0) pump_at(soon_us);
  }
}

void World::safety() {
  start_process();
  clients_.begin();
  people_.begin();
  const auto events = static_cast<uint64_t>(knobs_.safety_events);
  while (verdict_.ok() && trace_.events() < events * 4 && schedule_.next_us()) {
    step();
    if (all_ended() && clients_.all_answered() && trace_.events() > events) break;
  }
}

void World::heal() {
  knobs_.heal();
  healed_ = true;
  clock_.jump_to(0);
  trace("heals", {}, 0, [] { return std::string(); });
  // One that is down is up again soon: nobody waits for the rest of a long downtime.
  if (!process_) return restart_later();
  // Who lost tasks to another process gets them back with its next life.
  if (doomed_ || !disk_.fences.empty()) crash(Probe::kCrash);
}

bool World::all_ended() const {
  for (const auto& [id, task] : tasks_) {
    if (!task.ended && may_end(task)) return false;
  }
  return !tasks_.empty();
}

// A damaged task stands still.
bool World::may_end(const SeenTask& task) const {
  return !disk_.decay.holds(task.id);
}

// After a long quiet time every task has ended or waits for a person or a timer that exists. The
// last timer may have fired a moment ago: who is under way then gets the same time once more.
void World::come_to_rest() {
  people_.rest(true);
  if (!rest_for(kRestUs)) return;
  if (!clients_.all_answered()) {
    return verdict_.violation("liveness", "a submission is never answered");
  }
  const std::map<TaskId, Seq> idle = heads_of_idle();
  if (idle.empty() || !rest_for(kRestUs)) return;
  for (const auto& [id, head] : heads_of_idle()) {
    const auto before = idle.find(id);
    if (before == idle.end() || before->second != head) continue;
    verdict_.violation("liveness",
                       fmt::format("{} ({}) at record {}: it has not ended, and nothing that it "
                                   "waits for exists",
                                   id.to_string(), tag_of(tasks_.at(id)), head));
  }
}

// False: all is done, or wrong.
bool World::rest_for(int64_t rest_us) {
  const int64_t until_us = now_us() + rest_us;
  const uint64_t events_max = trace_.events() + kEventsMax;
  while (verdict_.ok() && schedule_.next_us() && *schedule_.next_us() <= until_us) {
    if (all_ended() && clients_.all_answered()) return false;
    if (trace_.events() > events_max) {
      verdict_.violation("liveness", "the world does not come to rest");
      return false;
    }
    step();
  }
  return verdict_.ok();
}

std::map<TaskId, Seq> World::heads_of_idle() const {
  std::map<TaskId, Seq> heads;
  for (const auto& [id, task] : tasks_) {
    const bool waits = !task.questions.empty() || !task.timers.empty();
    if (!task.ended && !waits && may_end(task)) heads[id] = task.head;
  }
  return heads;
}

void World::finish() {
  people_.rest(false);
  people_.answer_everything();
  const int64_t until_us = now_us() + kLivenessUs;
  const uint64_t events_max = trace_.events() + kEventsMax;
  while (verdict_.ok() && !all_ended()) {
    if (trace_.events() > events_max || !schedule_.next_us() || *schedule_.next_us() > until_us) {
      for (const auto& [id, task] : tasks_) {
        if (task.ended || !may_end(task)) continue;
        verdict_.violation("liveness", fmt::format("{} ({}) at record {} never ends",
                                                   id.to_string(), tag_of(task), task.head));
      }
      return;
    }
    step();
  }
  // What is still on its way must not change anything.
  const int64_t quiet_us = now_us() + 120 * kSecondUs;
  const uint64_t quiet_events = trace_.events() + 100;
  while (verdict_.ok() && trace_.events() < quiet_events && schedule_.next_us() &&
         *schedule_.next_us() < quiet_us) {
    step();
  }
}

Report World::run() {
  safety();
  if (verdict_.ok()) heal();
  if (verdict_.ok()) come_to_rest();
  if (verdict_.ok()) finish();
  for (const auto& checker : checkers_) checker->at_end();
  outcome_.verdict = verdict_;
  outcome_.events = trace_.events();
  outcome_.hash = trace_.hash();
  outcome_.virtual_us = now_us();
  outcome_.last = trace_.last();
  return std::move(outcome_);
}

}  // namespace perdure::sim
