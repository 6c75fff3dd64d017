#pragma once
// A question to a person as it is shown: what was sent, when, with which key, and the command that
// answers.
#include <optional>

#include "api/context.h"
#include "core/state.h"
#include "journal/record.h"

namespace perdure::api {

// One question, and the task as it is now, but for the step that was asked about: that is as it was
// when it was asked.
struct Question {
  struct Sent {
    uint32_t attempt = 0;
    int64_t at_ms = 0;
    std::optional<Outcome> outcome;
    std::string detail;
  };
  core::TaskState state;
  std::optional<InterruptRequested> asked;
  int64_t asked_ms = 0;
  std::optional<core::Step> step;
  std::vector<Sent> sent;  // of its step, until now
  std::optional<InterruptResolved> resolved;
  int64_t resolved_ms = 0;
};
Result<Question> read_question(Context& context, const InterruptId& id);
// What was asked, with its bytes if there are no more than `max_bytes`: {"question", "choices"?,
// "schema"?}. None of other interrupts.
Result<Payload> payload_of(Context& context, const std::string& tenant, const TaskId& task,
                           const Question& question, size_t max_bytes);

// Nothing if this task never asked that. `tenant` is the task's.
Result<std::optional<json::object>> view_interrupt(Context& context, const std::string& tenant,
                                                   const InterruptId& id);

}  // namespace perdure::api
