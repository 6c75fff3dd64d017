#pragma once
// What waits at the gate: nothing leaves the process unless every record that it depends on is
// durable.
#include <variant>

#include "engine/mailbox.h"
#include "journal/effect.h"

namespace perdure::engine {

struct ReplyOutput {
  Reply reply;
  Result<Submitted> result;
};

struct Output {
  TaskId task;
  std::variant<ReplyOutput, Plan, Send, Abort, Answered> what;
};

}  // namespace perdure::engine
