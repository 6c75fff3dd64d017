#include "agent/tool_result.h"

#include <fmt/format.h>

#include "agent/mcp_text.h"
#include "base/json.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr std::string_view kErased = "(The content of this result was erased.)";
constexpr std::string_view kNoOutput = "(The call succeeded and returned nothing.)";

ToolResult make(std::string text, bool is_error) {
  ToolResult result{nullptr, sha256(text), is_error, false};
  result.text = std::make_shared<const std::string>(std::move(text));
  return result;
}

// "A sentence." and " Words: <said>" if there is anything said.
std::string with(std::string_view sentence, std::string_view label, std::string_view said) {
  return said.empty() ? std::string(sentence) : fmt::format("{} {}: {}", sentence, label, said);
}

Result<std::string_view> bytes_of(const Payload& payload) {
  if (payload.place == Payload::Place::kErased) return kErased;
  if (payload.exists() && payload.size_bytes > 0 && !payload.bytes) {
    return fail(Code::kUnavailable,
                "the bytes of a tool's result are not at hand; read them from the blob store");
  }
  return payload.view();
}

}  // namespace

Result<ToolResult> result_of_success(const Payload& result, bool as_text) {
  TRY_ASSIGN(const std::string_view bytes, bytes_of(result));
  if (auto text = as_text ? mcp_text(bytes) : std::nullopt) {
    return make(text->empty() ? std::string(kNoOutput) : *std::move(text), false);
  }
  if (bytes.empty()) return make(std::string(kNoOutput), false);
  if (!result.bytes) return make(std::string(bytes), false);
  return ToolResult{result.bytes, result.hash, false, result.place == Payload::Place::kBlob};
}

Result<ToolResult> result_of_failure(std::string_view detail, const Payload& result, bool as_text) {
  TRY_ASSIGN(const std::string_view bytes, bytes_of(result));
  std::string text = with("The call failed.", "Reason", detail);
  const auto shown = as_text ? mcp_text(bytes) : std::nullopt;
  const std::string_view said = shown ? std::string_view(*shown) : bytes;
  if (!said.empty()) text += fmt::format("\n{}", said);
  return make(std::move(text), true);
}

Result<ToolResult> result_asserted_done(const Payload& result) {
  TRY_ASSIGN(const std::string_view bytes, bytes_of(result));
  std::string text =
      "The answer to this call was lost. A person has checked: the call took effect.";
  if (!bytes.empty()) text += fmt::format(" They report this result:\n{}", bytes);
  return make(std::move(text), false);
}

ToolResult result_asserted_not_done(std::string_view message) {
  return make(with("The answer to this call was lost. A person has checked: the call did not take "
                   "effect. It may be made again if it is still needed.",
                   "They say", message),
              true);
}

ToolResult result_denied(std::string_view reason) {
  return make(
      with("This call is not allowed and was not made. Do not try it again.", "Reason", reason),
      true);
}

ToolResult result_refused(std::string_view message) {
  return make(
      with("A person refused this call, and it was not made. Do not try it again unless they "
           "ask for it.",
           "They say", message),
      true);
}

ToolResult result_in_words(std::string text, bool is_error) {
  return make(std::move(text), is_error);
}

ToolResult result_waited(int64_t now_ms) {
  return make(fmt::format("The wait is over. It is {} now.", to_rfc3339(now_ms)), false);
}

ToolResult result_expired() {
  return make("Nobody decided about this call in time, and it was not made. Do not try it again.",
              true);
}

Result<ToolResult> result_answered(const Payload& answer) {
  TRY_ASSIGN(const std::string_view bytes, bytes_of(answer));
  const auto value = parse_json(bytes, "answer", {.size_bytes = 64u << 20});
  std::string text(value && value->is_string() ? std::string_view(value->get_string()) : bytes);
  return make(text.empty() ? "(The answer is empty.)" : std::move(text), false);
}

ToolResult result_unanswered(std::string_view message, bool expired) {
  if (expired) return make("Nobody answered this question in time. Go on without it.", true);
  return make(
      with("A person dismissed this question. Go on without an answer.", "They say", message),
      true);
}

ToolResult result_of_edited(const ToolResult& result, const Payload& args) {
  const std::string_view made = args.bytes ? args.view() : "(not at hand)";
  return make(fmt::format("A person replaced the arguments of this call before it was made; do not "
                          "make the original call again. It was made with:\n{}\nIts result:\n{}",
                          made, *result.text),
              result.is_error);
}

ToolResult result_malformed(std::string_view reason) {
  return make(with("This call could not be read and was not made. Correct it, or go on without it.",
                   "Reason", reason),
              true);
}

ToolResult result_unknown(std::string_view reason) {
  return make(with("It is not known whether this call took effect: it was sent, and its answer was "
                   "lost. Do not make it again. Say plainly that its outcome is unknown.",
                   "Reason", reason),
              true);
}

ToolResult result_repeated(const ToolResult* earlier) {
  constexpr std::string_view kRepeated = "This call equals an earlier one and was not made again. ";
  if (earlier == nullptr) {
    return make(fmt::format("{}Use the outcome of the earlier call.", kRepeated), true);
  }
  return make(fmt::format("{}The outcome of the earlier call:\n{}", kRepeated, *earlier->text),
              earlier->is_error);
}

}  // namespace perdure
