#pragma once
// Test hooks: crash points, planted bugs and control faults. They exist only in builds with
// PERDURE_TEST_HOOKS; elsewhere every call below is an empty inline function, and a test shows that
// no trace is left.
#include <string_view>

namespace perdure::hooks {

// Bugs that were made on purpose, one at a time, to see that the checkers find them.
enum class Bug {
  kNone,
  kAckBeforeDurable,
  kSendBeforeDurable,
  kResendOnce,
  kKeyFromArguments,
  kDecisionUsedTwice,
  kHalfTurn,
  kTurnAcceptedTwice,
  kLateAnswerOverwrites,
  kReservationSkipped,
  kTimerEarly,
  kIdempotencyRowApart,
  kLostWakeUp,
  kChainBroken,
  kShownBeforeDurable,
  kDoubtTakenForDone,
  kApprovalSkipped,
  kStateOffTheRecord,
  kCancelForgotten,
  kEventLost,
  kModelAskedAgain,
  kEditNotSent,
  kEditLiftsDeny,
  kExpiryAfterDecision,
  kDecisionAfterExpiry,
  kFetchForgotten,
  kVerificationSkipped,
  kSnapshotBelieved,
  kSnapshotStale,
};

#ifdef PERDURE_TEST_HOOKS
// True while this bug is planted: by `plant`, or by the environment's PERDURE_PLANT=name.
bool planted(Bug bug);
void plant(Bug bug);
// The bug of that name, e.g. "ack_before_durable"; kNone if there is none.
Bug bug_named(std::string_view name);
std::string_view bug_name(Bug bug);
// Ends the process with SIGKILL when the environment says PERDURE_CRASH_AT=name:n and this is the
// n-th passage. `name` stands in base/crash_points.h.
void crash_point(std::string_view name);
#else
inline constexpr bool planted(Bug) {
  return false;
}
inline void crash_point(std::string_view) {}
#endif

}  // namespace perdure::hooks
