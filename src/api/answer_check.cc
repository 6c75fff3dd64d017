#include "api/answer_check.h"

#include "base/json.h"
#include "schema/schema.h"

namespace perdure::api {
namespace {

// {"question", "choices"?, "schema"?}: of the call that runs, or of the step that is the question.
const Payload* asked_for(const Question& question) {
  if (question.asked->question.exists()) return &question.asked->question;
  return question.step ? &question.step->args : nullptr;
}

}  // namespace

Status check_answer(const Question& question, const Resolve& decision) {
  if (decision.decision != Decision::kRespond ||
      question.asked->reason != InterruptReason::kQuestion) {
    return {};
  }
  const Payload* asked = asked_for(question);
  if (asked == nullptr || !asked->bytes) return {};
  TRY_ASSIGN(const json::value args, parse_json(asked->view(), "question"));
  const json::value* schema = args.is_object() ? args.get_object().if_contains("schema") : nullptr;
  if (schema == nullptr) return {};
  const auto compiled = JsonSchema::compile(*schema);
  if (!compiled) return {};  // whoever asked checks it as they can
  return check_text(*compiled, decision.given.view(), "the answer");
}

}  // namespace perdure::api
