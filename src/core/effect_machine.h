#pragma once
// The states of an effect and every arrow between them (docs/guarantees.md). An arrow that is not
// listed is an error.
#include <optional>

#include "journal/terms.h"

namespace perdure::core {

enum class EffectEvent : uint8_t {
  kAllowed,
  kAsked,
  kDenied,
  kApproved,
  kIntended,
  kSucceeded,
  kFailed,
  kNotSent,
  kDeferred,
  kDoubted,
  kRetryDue,
  kExhausted,  // given up where nothing can have happened
  kErrored,    // given up where something may have happened
  kEscalated,
  kAssertedHappened,  // a person's word, kept apart from what was observed
  kAssertedNotHappened,
  kDismissed,
  kReportedSucceeded,  // ran inside the planner before it answered
  kReportedFailed,
  kAnswered,  // a person gave the result; nothing was sent
};

// Where the event leads, or nothing if it is not possible in this state.
std::optional<EffectState> next_state(EffectState from, EffectEvent event);

}  // namespace perdure::core
