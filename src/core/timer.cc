#include "core/timer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/hooks.h"
#include "base/reach.h"
#include "core/asking.h"

namespace perdure::core {
namespace {

constexpr int64_t kReplanBaseMs = 1'000;
constexpr int64_t kReplanCapMs = 60'000;

constexpr int64_t kAskedPerJitter = 2;    // the first jitter is half of what was asked for
constexpr uint32_t kHeldPerDoubling = 8;  // being held back is no failure

// The attempts that the backoff grows with. What was held back tried nothing and counts for little,
// but looks less often the longer it lasts. A fetch that fails counts like a call.
uint32_t failed_attempts(const Step& step) {
  if (!step.provider_id.empty()) return step.attempt;
  return step.attempt - step.not_tried + step.not_tried / kHeldPerDoubling;
}

TimerId retry_timer(const StepId& step) {
  return std::string(kRetryTimerPrefix) + step;
}

int64_t later(int64_t now_ms, int64_t delay_ms) {
  return now_ms + std::clamp<int64_t>(delay_ms, 0, kWaitMaxMs);
}

}  // namespace

int64_t backoff_ms(const TaskId& task, std::string_view what, uint32_t attempt, int64_t base_ms,
                   int64_t cap_ms) {
  const uint32_t doublings = std::min<uint32_t>(attempt > 0 ? attempt - 1 : 0, 20);
  if (base_ms <= 0 || cap_ms <= 0) return 0;
  const bool capped = base_ms > cap_ms >> doublings;
  const uint64_t ceiling = static_cast<uint64_t>(capped ? cap_ms : base_ms << doublings);
  const Sha256 noise = sha256(fmt::format("{}/{}/{}", task.to_string(), what, attempt));
  uint64_t number = 0;
  std::memcpy(&number, noise.bytes.data(), sizeof number);
  return static_cast<int64_t>(number % (ceiling + 1));
}

void set_planner_timer(Draft& draft, const TimerAction& action) {
  const int64_t after_ms =
      action.at_ms != 0 ? capped_sum(action.at_ms, -draft.now_ms()) : action.after_ms;
  const int64_t due_ms = later(draft.now_ms(), after_ms);
  draft.append(TimerSet{action.timer, TimerPurpose::kPlanner, due_ms});
}

void set_retry_timer(Draft& draft, const StepId& id, const Step& step, int64_t retry_after_ms) {
  const Contract& contract = step.contract;
  // Those that were told to wait at the same time do not come back at the same time.
  const int64_t base_ms = std::max(contract.backoff_ms, retry_after_ms / kAskedPerJitter);
  const int64_t jitter_ms = backoff_ms(draft.state().id, fmt::format("{}/{}", id, step.attempt),
                                       failed_attempts(step), base_ms, contract.backoff_max_ms);
  const int64_t wait_ms = capped_sum(std::max<int64_t>(retry_after_ms, 0), jitter_ms);
  const int64_t due_ms = later(draft.now_ms(), wait_ms);
  draft.append(TimerSet{retry_timer(id), TimerPurpose::kRetry, due_ms});
}

void set_replan_timer(Draft& draft) {
  const Turn& turn = draft.state().turn;
  const int64_t wait_ms = backoff_ms(draft.state().id, fmt::format("turn {}", turn.number + 1),
                                     turn.rejections, kReplanBaseMs, kReplanCapMs);
  draft.append(
      TimerSet{std::string(kReplanTimer), TimerPurpose::kReplan, later(draft.now_ms(), wait_ms)});
}

void clear_retry_timer(Draft& draft, const StepId& id, const Step& step) {
  if (step.retry_pending) draft.append(TimerCleared{retry_timer(id), TimerPurpose::kRetry});
}

void clear_all_timers(Draft& draft) {
  std::vector<std::pair<TimerId, TimerPurpose>> set;
  for (const auto& [id, timer] : draft.state().timers) {
    if (timer.purpose != TimerPurpose::kAsk) set.emplace_back(id, timer.purpose);
  }
  for (const auto& [id, purpose] : set) draft.append(TimerCleared{id, purpose});
}

void fire(Draft& draft, const FireTimer& command) {
  const auto found = draft.state().timers.find(command.timer);
  if (found == draft.state().timers.end()) return draft.accept(true);
  const Timer timer = found->second;
  if (draft.now_ms() < timer.due_ms && !hooks::planted(hooks::Bug::kTimerEarly)) {
    return draft.refuse(Code::kConflict, fmt::format("timer '{}' is not due yet", command.timer));
  }
  draft.append(TimerFired{command.timer, timer.purpose});
  draft.accept();
  if (timer.purpose == TimerPurpose::kAsk) look_after(draft, command.timer);
}

}  // namespace perdure::core
