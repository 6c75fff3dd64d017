#include "mutants.h"

#include <fmt/core.h>

#include <string_view>

#include "campaign.h"

namespace perdure::sim {
namespace {

using hooks::Bug;

struct Mutant {
  Bug bug;
  std::string_view expected;  // the checker
};

constexpr Mutant kMutants[] = {
    {Bug::kAckBeforeDurable, "ack_durable"},
    {Bug::kSendBeforeDurable, "intent_before_send"},
    {Bug::kResendOnce, "once_at_most_once"},
    {Bug::kKeyFromArguments, "idem_effect_once"},
    {Bug::kDecisionUsedTwice, "approval_once"},
    {Bug::kHalfTurn, "turn_atomic"},
    {Bug::kTurnAcceptedTwice, "turn_atomic"},
    {Bug::kLateAnswerOverwrites, "terminal_immutable"},
    {Bug::kReservationSkipped, "budget"},
    {Bug::kTimerEarly, "timer_once_not_early"},
    {Bug::kIdempotencyRowApart, "create_idempotent"},
    {Bug::kLostWakeUp, "liveness"},
    {Bug::kChainBroken, "journal_prefix"},
    {Bug::kShownBeforeDurable, "output_commit"},
    {Bug::kDoubtTakenForDone, "done_honest"},
    {Bug::kApprovalSkipped, "no_send_without_approval"},
    {Bug::kStateOffTheRecord, "replay_equal"},
    {Bug::kCancelForgotten, "cancel_complete"},
    {Bug::kEventLost, "event_stream"},
    {Bug::kModelAskedAgain, "recorded_not_paid_again"},
    {Bug::kEditNotSent, "no_send_without_approval"},
    {Bug::kEditLiftsDeny, "no_send_without_approval"},
    {Bug::kExpiryAfterDecision, "approval_once"},
    {Bug::kDecisionAfterExpiry, "approval_once"},
    {Bug::kFetchForgotten, "fetched_not_called_again"},
    {Bug::kVerificationSkipped, "damage_never_acted_on"},
    {Bug::kSnapshotBelieved, "replay_equal"},
    {Bug::kSnapshotStale, "replay_equal"},
};

}  // namespace

bool run_mutants(const std::vector<uint64_t>& seeds, int jobs) {
  constexpr size_t kRound = 64;
  bool all = true;
  fmt::print("{:24} {:22} {:>10} {:>8}  {}\n", "planted bug", "found by", "seed", "seeds", "");
  for (const Mutant& mutant : kMutants) {
    uint64_t tried = 0;
    std::string by, other;
    uint64_t seed = 0;
    for (size_t at = 0; at < seeds.size() && by.empty(); at += kRound) {
      Work work;
      work.jobs = jobs;
      work.bug = mutant.bug;
      const size_t end = std::min(seeds.size(), at + kRound);
      work.seeds.assign(seeds.begin() + static_cast<ptrdiff_t>(at),
                        seeds.begin() + static_cast<ptrdiff_t>(end));
      const Totals totals = run_campaign(work);
      uint64_t first = UINT64_MAX;
      for (const Violation& violation : totals.violations) {
        if (violation.checker != mutant.expected) {
          other = violation.checker;
        } else if (violation.seed < first) {
          first = violation.seed;
          by = violation.checker;
          seed = violation.seed;
        }
      }
      tried = by.empty() ? tried + work.seeds.size() : seed - seeds.front() + 1;
    }
    const bool found = !by.empty();
    all = all && found;
    fmt::print("{:24} {:22} {:>10} {:>8}  {}\n", hooks::bug_name(mutant.bug), found ? by : "-",
               found ? std::to_string(seed) : "-", tried,
               found ? "" : (other.empty() ? "NOT FOUND" : "FOUND ONLY BY " + other));
  }
  return all;
}

}  // namespace perdure::sim
