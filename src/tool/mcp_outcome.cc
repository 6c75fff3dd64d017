#include "tool/mcp_outcome.h"

#include <fmt/core.h>

#include "base/json_fields.h"
#include "tool/http_outcome.h"
#include "tool/outcome.h"

namespace perdure {
namespace {

// Servers say "invalid params" also of a tool's result that does not fit: the tool has acted then.
bool is_definite(int64_t code, EffectClass effect) {
  if (code == mcp::kMethodNotFound) return true;
  return may_run_again(effect) &&
         (code == mcp::kParseError || code == mcp::kInvalidRequest || code == mcp::kInvalidParams ||
          code == mcp::kUrlElicitationRequired);
}

bool says_error(const json::object& result) {
  const auto found = result.find("isError");
  return found != result.end() && found->value() == true;
}

// What a tool says of its failure, for people: its first text.
std::string first_text(const json::object& result) {
  const json::array* content = array_in(result, "content");
  if (content == nullptr) return "";
  for (const json::value& block : *content) {
    const json::object* object = block.if_object();
    const json::value* text = object != nullptr ? object->if_contains("text") : nullptr;
    if (text != nullptr && text->is_string()) return std::string(text->get_string());
  }
  return "";
}

std::string kept(const json::object& result, size_t max_output_bytes, const Masker& masker) {
  json::object out;
  for (const std::string_view name : {"content", "structuredContent"}) {
    if (const auto found = result.find(name); found != result.end()) out[name] = found->value();
  }
  std::string text = to_json(out);
  const bool cut = text.size() > max_output_bytes;
  if (cut) text.resize(max_output_bytes);
  return represent(std::move(text), cut, masker);
}

}  // namespace

SettleStep classify(const mcp::Answered& answer, const Send& send, size_t max_output_bytes,
                    const Masker& masker) {
  if (answer.refused) {
    const bool failed = is_definite(answer.error.code, send.effect);
    return settle_of(
        send, failed ? Outcome::kFailed : Outcome::kInDoubt,
        failed ? FailureClass::kInvalid : FailureClass::kAmbiguous,
        fmt::format("error {}: {}", answer.error.code, masker.mask_cut(answer.error.message)));
  }
  SettleStep settle = settle_of(send, Outcome::kSucceeded, FailureClass::kNone);
  if (says_error(answer.result)) {
    settle.outcome = Outcome::kFailed;
    settle.failure = FailureClass::kInvalid;
    settle.detail =
        "the tool says that it failed: " + excerpt(masker.mask(first_text(answer.result)));
  }
  settle.result = Payload::of(kept(answer.result, max_output_bytes, masker));
  return settle;
}

}  // namespace perdure
