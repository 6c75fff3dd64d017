// The table of an effect's states against docs/guarantees.md: each arrow that is listed, and no
// other.
#include "core/effect_machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace perdure::core {
namespace {

using S = EffectState;
using E = EffectEvent;

const std::map<std::pair<S, E>, S> kListed = {
    {{S::kPlanned, E::kAllowed}, S::kReady},
    {{S::kPlanned, E::kAsked}, S::kAwaitingApproval},
    {{S::kPlanned, E::kDenied}, S::kDenied},
    {{S::kAwaitingApproval, E::kApproved}, S::kReady},
    {{S::kAwaitingApproval, E::kDenied}, S::kDenied},
    {{S::kAwaitingApproval, E::kAnswered}, S::kSucceeded},
    {{S::kReady, E::kIntended}, S::kIntent},
    {{S::kReady, E::kAsked}, S::kAwaitingApproval},  // edited, and equal to another call
    {{S::kReady, E::kDenied}, S::kDenied},           // the task ended before it was sent
    {{S::kReady, E::kDoubted}, S::kInDoubt},         // sent before, and its key has expired since
    {{S::kReady, E::kReportedSucceeded}, S::kSucceeded},
    {{S::kReady, E::kReportedFailed}, S::kFailed},
    {{S::kIntent, E::kSucceeded}, S::kSucceeded},
    {{S::kIntent, E::kFailed}, S::kFailed},
    {{S::kIntent, E::kNotSent}, S::kNotSent},
    {{S::kIntent, E::kDeferred}, S::kDeferred},
    {{S::kIntent, E::kDoubted}, S::kInDoubt},
    {{S::kNotSent, E::kRetryDue}, S::kReady},
    {{S::kNotSent, E::kExhausted}, S::kFailed},
    {{S::kNotSent, E::kDenied}, S::kDenied},
    {{S::kNotSent, E::kDoubted}, S::kInDoubt},  // an earlier send of this key may have happened
    {{S::kDeferred, E::kRetryDue}, S::kReady},
    {{S::kDeferred, E::kExhausted}, S::kFailed},
    {{S::kDeferred, E::kDoubted}, S::kInDoubt},
    {{S::kInDoubt, E::kIntended}, S::kIntent},
    {{S::kInDoubt, E::kExhausted}, S::kFailed},
    {{S::kInDoubt, E::kErrored}, S::kUnknown},
    {{S::kInDoubt, E::kEscalated}, S::kNeedsHuman},
    {{S::kNeedsHuman, E::kAssertedHappened}, S::kSucceeded},
    {{S::kNeedsHuman, E::kAssertedNotHappened}, S::kFailed},
    {{S::kNeedsHuman, E::kDismissed}, S::kUnknown},
};

TEST(EffectMachine, HasEveryListedArrowAndNoOther) {
  for (int s = 0; s <= static_cast<int>(S::kCompensated); ++s) {
    for (int e = 0; e <= static_cast<int>(E::kAnswered); ++e) {
      const std::pair pair{static_cast<S>(s), static_cast<E>(e)};
      const auto listed = kListed.find(pair);
      const std::optional<S> expected =
          listed == kListed.end() ? std::nullopt : std::optional(listed->second);
      EXPECT_EQ(next_state(pair.first, pair.second), expected)
          << to_string(pair.first) << ", event " << e;
    }
  }
}

TEST(EffectMachine, WhatIsTerminalHasNoWayOut) {
  for (const S state : {S::kDenied, S::kSucceeded, S::kFailed, S::kUnknown, S::kCompensated}) {
    EXPECT_TRUE(is_terminal(state));
    for (int e = 0; e <= static_cast<int>(E::kAnswered); ++e) {
      EXPECT_EQ(next_state(state, static_cast<E>(e)), std::nullopt) << to_string(state);
    }
  }
}

// What stands open leads to an end, or it would wait for ever.
TEST(EffectMachine, EveryOpenStateReachesAnEnd) {
  for (const auto& [pair, to] : kListed) {
    std::set<S> reached{pair.first};
    for (bool grown = true; grown;) {
      grown = false;
      for (const auto& [arrow, next] : kListed) {
        if (reached.contains(arrow.first)) grown |= reached.insert(next).second;
      }
    }
    EXPECT_TRUE(std::any_of(reached.begin(), reached.end(), [](S s) { return is_terminal(s); }))
        << to_string(pair.first);
  }
}

}  // namespace
}  // namespace perdure::core
