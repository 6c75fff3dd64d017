#pragma once
// What the loop itself says to the model. It stands in the journal as the planner's note, so that
// every later fold of the task finds the same words, whatever the program would say by then.
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "journal/payload.h"

namespace perdure {

struct Tell {
  enum class Why : uint8_t {
    kOutputSchema,   // the answer did not fit the agent's output schema
    kLoop,           // the same calls, over and over
    kMalformedCall,  // the provider could not read a call
  };
  Why why = Why::kOutputSchema;
  std::string text;  // not empty
};

Payload note_of(const Tell& tell);
// Nothing if the note is not of this kind. Fails if its bytes are not at hand.
Result<std::optional<Tell>> tell_of(const Payload& note);

}  // namespace perdure
