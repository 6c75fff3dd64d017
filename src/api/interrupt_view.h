#pragma once
// A question to a person as it is shown: what was sent, when, with which key, and the command that
// answers.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/context.h"
#include "engine/open_question.h"
#include "journal/record.h"

namespace perdure::api {

// One question, with its step as it was when it was asked.
struct Question {
  engine::OpenQuestion asked;
  int64_t asked_ms = 0;
  std::vector<core::SentAttempt> sent;  // of its step
  std::optional<InterruptResolved> resolved;
  int64_t resolved_ms = 0;
};
// Nothing if this task never asked that. What is open is read from its row, what is past from the
// journal.
Result<std::optional<Question>> read_question(Context& context, const std::string& tenant,
                                              const InterruptId& id);
// What a row says of its question; nothing if only the journal says it.
std::optional<Question> question_in(const InterruptRow& row);
// All that a task ever asked, by number: its journal is read once for all of them.
using Questions = std::map<Seq, Question>;
Result<Questions> read_questions(Context& context, const TaskId& task);
// The answer for a row that is not what was written; its task is quarantined.
Error damage_of_row(Context& context, const InterruptRow& row);
// What was asked, with its bytes if there are no more than `max_bytes`: {"question", "choices"?,
// "schema"?}. None of other interrupts.
Result<Payload> payload_of(Context& context, const std::string& tenant, const TaskId& task,
                           const Question& question, size_t max_bytes);

// `tenant` is the task's.
Result<json::object> view_question(Context& context, const std::string& tenant,
                                   const InterruptId& id, const Question& question);

}  // namespace perdure::api
