#include "cli/decision.h"

#include <fmt/core.h>

#include "base/percent.h"
#include "cli/question.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {

Result<json::object> send_decision(Client& client, const json::object& question,
                                   json::object body) {
  const json::object* action = object_in(question, "action");
  const std::string seen = action != nullptr ? text_at(*action, "args_sha256") : "";
  if (!seen.empty()) body["args_sha256"] = seen;
  const std::string path = "/v1/interrupts/" + percent_encode(text_at(question, "id"));
  auto answer = client.post(path + "/resolve", body, "decision");
  if (answer) return answer->object();
  Error error = answer.error();
  const auto now = error.code == Code::kConflict ? client.get(path, "id") : answer;
  if (now && text_at(now->object(), "status") == "resolved") {
    error.message += fmt::format("; it is '{}', by {}", text_at(now->object(), "decision"),
                                 text_at(now->object(), "resolved_by"));
  }
  return tl::unexpected(error);
}

std::string decided_text(const json::object& done) {
  const json::value* repeated = done.if_contains("repeated");
  const bool is_old = repeated != nullptr && repeated->is_bool() && repeated->get_bool();
  return fmt::format("{} {}: {}", visible(text_at(done, "decision")),
                     handle_of(text_at(done, "id")), is_old ? "was decided so before" : "recorded");
}

json::value with_defaults(const json::object& question, json::value answer) {
  const json::object* asked = object_in(question, "question");
  const json::object* schema = asked != nullptr ? object_in(*asked, "schema") : nullptr;
  const json::object* properties = schema != nullptr ? object_in(*schema, "properties") : nullptr;
  if (properties == nullptr || !answer.is_object()) return answer;
  for (const auto& [name, property] : *properties) {
    const json::object* field = property.if_object();
    const json::value* given = field != nullptr ? field->if_contains("default") : nullptr;
    if (given != nullptr) answer.get_object().emplace(name, *given);
  }
  return answer;
}

bool has_defaults(const json::object& question) {
  const json::value filled = with_defaults(question, json::object());
  const json::object* asked = object_in(question, "question");
  const json::object* schema = asked != nullptr ? object_in(*asked, "schema") : nullptr;
  const json::array* required = schema != nullptr ? array_in(*schema, "required") : nullptr;
  for (size_t i = 0; required != nullptr && i < required->size(); ++i) {
    const json::value& name = (*required)[i];
    if (!name.is_string() || !filled.get_object().contains(name.get_string())) return false;
  }
  return !filled.get_object().empty();
}

json::object least_addition(const json::object& question) {
  const json::array* answers = array_in(question, "answers");
  for (size_t i = 0; answers != nullptr && i < answers->size(); ++i) {
    const json::object* answer = (*answers)[i].if_object();
    const json::object* body = answer != nullptr ? object_in(*answer, "body") : nullptr;
    if (body == nullptr) continue;
    if (const json::object* add = object_in(*body, "add")) return *add;
  }
  return {};
}

Result<std::string> args_text(const json::object& question) {
  const json::object* action = object_in(question, "action");
  const json::value* args = action != nullptr ? action->if_contains("args") : nullptr;
  if (args != nullptr) return pretty_json(*args) + "\n";
  return fail(Code::kUnsupported, "the arguments are too large to be edited here");
}

Result<json::value> parse_args(const std::string& text) {
  return parse_json(text, "the arguments");
}

}  // namespace perdure::cli
