#include "core/effect_machine.h"

namespace perdure::core {
namespace {

using S = EffectState;
using E = EffectEvent;

struct Arrow {
  S from;
  E event;
  S to;
};

constexpr Arrow kArrows[] = {
    {S::kPlanned, E::kAllowed, S::kReady},
    {S::kPlanned, E::kAsked, S::kAwaitingApproval},
    {S::kPlanned, E::kDenied, S::kDenied},
    {S::kAwaitingApproval, E::kApproved, S::kReady},
    {S::kAwaitingApproval, E::kDenied, S::kDenied},
    {S::kAwaitingApproval, E::kAnswered, S::kSucceeded},
    {S::kReady, E::kIntended, S::kIntent},
    {S::kReady, E::kDenied, S::kDenied},
    {S::kReady, E::kAsked, S::kAwaitingApproval},  // edited, and equal to another call
    {S::kReady, E::kDoubted, S::kInDoubt},         // deferred before, and its key has expired since
    {S::kReady, E::kReportedSucceeded, S::kSucceeded},
    {S::kReady, E::kReportedFailed, S::kFailed},
    {S::kIntent, E::kSucceeded, S::kSucceeded},
    {S::kIntent, E::kFailed, S::kFailed},
    {S::kIntent, E::kNotSent, S::kNotSent},
    {S::kIntent, E::kDeferred, S::kDeferred},
    {S::kIntent, E::kDoubted, S::kInDoubt},
    {S::kNotSent, E::kRetryDue, S::kReady},
    {S::kNotSent, E::kExhausted, S::kFailed},
    {S::kNotSent, E::kDenied, S::kDenied},
    {S::kNotSent, E::kDoubted, S::kInDoubt},  // an earlier send of the same key may have arrived
    {S::kDeferred, E::kRetryDue, S::kReady},
    {S::kDeferred, E::kExhausted, S::kFailed},
    {S::kDeferred, E::kDoubted, S::kInDoubt},
    {S::kInDoubt, E::kIntended, S::kIntent},
    {S::kInDoubt, E::kExhausted, S::kFailed},
    {S::kInDoubt, E::kErrored, S::kUnknown},
    {S::kInDoubt, E::kEscalated, S::kNeedsHuman},
    {S::kNeedsHuman, E::kAssertedHappened, S::kSucceeded},
    {S::kNeedsHuman, E::kAssertedNotHappened, S::kFailed},
    {S::kNeedsHuman, E::kDismissed, S::kUnknown},
};

}  // namespace

std::optional<EffectState> next_state(EffectState from, EffectEvent event) {
  for (const Arrow& arrow : kArrows) {
    if (arrow.from == from && arrow.event == event) return arrow.to;
  }
  return std::nullopt;
}

}  // namespace perdure::core
