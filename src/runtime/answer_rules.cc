#include "runtime/answer_rules.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "schema/schema.h"

namespace perdure::runtime {
namespace {

constexpr size_t kNamedMax = 20;
constexpr size_t kNamedMaxBytes = 80;  // of each

std::string names_of(const json::array& choices) {
  std::string out;
  for (size_t i = 0; i < choices.size() && i < kNamedMax; ++i) {
    const std::string text = to_json(choices[i]);
    out += i > 0 ? ", " : "";
    out += beginning(text, kNamedMaxBytes);
    if (text.size() > kNamedMaxBytes) out += "...";
  }
  if (choices.size() > kNamedMax) out += fmt::format(", or {} more", choices.size() - kNamedMax);
  return out;
}

Status check_choice(const json::array& choices, std::string_view answer) {
  TRY_ASSIGN(const json::value given, parse_json(answer, "the answer"));
  const bool is_one = std::find(choices.begin(), choices.end(), given) != choices.end();
  if (is_one || choices.empty()) return {};
  return fail(Code::kInvalid, "the answer is not one of the choices: " + names_of(choices));
}

}  // namespace

Status check_answer(std::string_view question, std::string_view answer) {
  const auto asked = parse_json(question, "question");
  if (!asked || !asked->is_object()) return {};
  const json::object& members = asked->get_object();
  const json::value* choices = members.if_contains("choices");
  if (choices != nullptr && choices->is_array()) {
    TRY_STATUS(check_choice(choices->get_array(), answer));
  }
  const json::value* schema = members.if_contains("schema");
  if (schema == nullptr) return {};
  const auto compiled = JsonSchema::compile(*schema);
  if (!compiled) return {};  // whoever asked checks it as they can
  return check_text(*compiled, answer, "the answer");
}

}  // namespace perdure::runtime
