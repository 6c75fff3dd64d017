#pragma once
// A question to a person as it is shown: what was sent, when, with which key, and the command that
// answers.
#include <map>
#include <memory>
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
  std::shared_ptr<const core::TaskState> state;  // one for all questions of a task
  std::optional<InterruptRequested> asked;
  int64_t asked_ms = 0;
  std::optional<core::Step> step;
  std::vector<Sent> sent;  // of its step, until now
  std::optional<InterruptResolved> resolved;
  int64_t resolved_ms = 0;
};
Result<Question> read_question(Context& context, const InterruptId& id);
// All that a task ever asked, by number: its journal is read once for all of them.
using Questions = std::map<Seq, Question>;
Result<Questions> read_questions(Context& context, const TaskId& task);
// What was asked, with its bytes if there are no more than `max_bytes`: {"question", "choices"?,
// "schema"?}. None of other interrupts.
Result<Payload> payload_of(Context& context, const std::string& tenant, const TaskId& task,
                           const Question& question, size_t max_bytes);

// `tenant` is the task's.
Result<json::object> view_question(Context& context, const std::string& tenant,
                                   const InterruptId& id, const Question& question);
// Nothing if this task never asked that.
Result<std::optional<json::object>> view_interrupt(Context& context, const std::string& tenant,
                                                   const InterruptId& id);

}  // namespace perdure::api
