#include "agent/final_answer.h"

#include <fmt/core.h>

#include "base/json.h"

namespace perdure {
namespace {

constexpr std::string_view kFence = "```";
constexpr JsonLimits kLimits = {.depth = 64, .size_bytes = 16u << 20};

// What stands between the first fence and the last, without the language's name; or everything.
std::string_view inside_fence(std::string_view text) {
  const size_t begin = text.find(kFence);
  if (begin == std::string_view::npos) return text;
  const size_t line = text.find('\n', begin);
  const size_t end = text.rfind(kFence);
  if (line == std::string_view::npos || end <= line) return text;
  return text.substr(line + 1, end - line - 1);
}

}  // namespace

std::string words_for_json(std::string_view schema) {
  return fmt::format(
      "Your final answer, the one without tool calls, must be one JSON value and no other text. It "
      "must fit this JSON Schema:\n{}",
      schema);
}

Result<std::string> final_json(const JsonSchema& schema, std::string_view text) {
  auto value = parse_json(text, "the answer", kLimits);
  if (!value) {
    if (auto fenced = parse_json(inside_fence(text), "the answer", kLimits)) value = fenced;
  }
  if (!value) return tl::unexpected(std::move(value).error());
  TRY_ASSIGN(const auto problems, schema.check(*value));
  if (!problems.empty()) return fail(Code::kInvalid, in_words(problems, "the answer"));
  return to_canonical_json(*value);
}

}  // namespace perdure
