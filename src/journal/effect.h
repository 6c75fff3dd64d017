#pragma once
// What the core asks of the world. Nothing here is done before the records that it depends on are
// durable.
#include <variant>

#include "journal/payload.h"
#include "journal/terms.h"

namespace perdure {

// Ask the planner for turn `turn`. Not recorded: emitted anew after a restart.
struct Plan {
  uint64_t turn = 0;
  Seq upto_seq = 0;
  uint32_t attempt = 0;
};

// Send the call of a step whose intent was just appended.
struct Send {
  StepId step;
  CallKind kind = CallKind::kTool;
  std::string name;
  uint32_t attempt = 0;
  uint32_t group = 0;
  EffectClass effect = EffectClass::kOnce;
  int64_t not_after_ms = 0;
  Payload args;
  std::string key;  // the idempotency key, of its position
  // Not empty: the other side has taken this call before, under this name. Its answer is fetched;
  // nothing is asked for again.
  std::string provider_id = {};
  // When a person last said that the task's credentials and accounts are mended; 0: nobody did.
  int64_t mended_ms = 0;
};

// The outcome of this step is no longer wanted; stopping early is allowed, not required.
struct Abort {
  StepId step;
};

// The question that a running call asked is settled: kRespond with the answer, kReject if a person
// said no, kWithdrawn if nobody decided.
struct Answered {
  StepId step;
  Seq interrupt_seq = 0;
  Decision decision = Decision::kWithdrawn;
  Payload given;
};

using Effect = std::variant<Plan, Send, Abort, Answered>;

}  // namespace perdure
