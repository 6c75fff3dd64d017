#include "base/hooks.h"

#ifdef PERDURE_TEST_HOOKS
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <string>

#include "base/assert.h"
#include "base/crash_points.h"
#include "base/text.h"

namespace perdure::hooks {
namespace {

constexpr std::array<std::string_view, 29> kBugNames = {"none",
                                                        "ack_before_durable",
                                                        "send_before_durable",
                                                        "resend_once",
                                                        "key_from_arguments",
                                                        "decision_used_twice",
                                                        "half_turn",
                                                        "turn_accepted_twice",
                                                        "late_answer_overwrites",
                                                        "reservation_skipped",
                                                        "timer_early",
                                                        "idempotency_row_apart",
                                                        "lost_wake_up",
                                                        "chain_broken",
                                                        "shown_before_durable",
                                                        "doubt_taken_for_done",
                                                        "approval_skipped",
                                                        "state_off_the_record",
                                                        "cancel_forgotten",
                                                        "event_lost",
                                                        "model_asked_again",
                                                        "edit_not_sent",
                                                        "edit_lifts_deny",
                                                        "expiry_after_decision",
                                                        "decision_after_expiry",
                                                        "fetch_forgotten",
                                                        "verification_skipped",
                                                        "snapshot_believed",
                                                        "snapshot_stale"};

Bug read_planted() {
  const char* name = std::getenv("PERDURE_PLANT");
  if (name == nullptr) return Bug::kNone;
  const Bug bug = bug_named(name);
  PERDURE_ASSERT(bug != Bug::kNone, "PERDURE_PLANT names a bug of base/hooks.h");
  return bug;
}

// One process runs many simulated worlds, one after the other, each with its own bug.
std::atomic<Bug>& current() {
  static std::atomic<Bug> bug{read_planted()};
  return bug;
}

struct CrashAt {
  std::string name;
  uint64_t hit = 0;
};

CrashAt read_crash_at() {
  const char* text = std::getenv("PERDURE_CRASH_AT");
  if (text == nullptr) return {};
  const std::string_view wanted(text);
  const size_t colon = wanted.rfind(':');
  const auto hit = parse_u64(wanted.substr(colon + 1));
  PERDURE_ASSERT(colon != std::string_view::npos && hit && *hit > 0,
                 "PERDURE_CRASH_AT is name:n, n from 1");
  return {std::string(wanted.substr(0, colon)), *hit};
}

}  // namespace

bool planted(Bug bug) {
  return current().load(std::memory_order_relaxed) == bug;
}
void plant(Bug bug) {
  current() = bug;
}

Bug bug_named(std::string_view name) {
  for (size_t i = 0; i < kBugNames.size(); ++i) {
    if (kBugNames[i] == name) return static_cast<Bug>(i);
  }
  return Bug::kNone;
}

std::string_view bug_name(Bug bug) {
  return kBugNames[static_cast<size_t>(bug)];
}

void crash_point(std::string_view name) {
  static const CrashAt crash_at = read_crash_at();
  static std::atomic<uint64_t> hits{0};
  PERDURE_ASSERT(is_crash_point(name), "a crash point is listed in base/crash_points.h");
  if (crash_at.hit == 0 || crash_at.name != name) return;
  if (++hits == crash_at.hit) {
    kill(getpid(), SIGKILL);
    pause();
  }
}

}  // namespace perdure::hooks
#endif
