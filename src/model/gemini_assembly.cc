#include "model/gemini_assembly.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/json_fields.h"
#include "model/gemini_request.h"
#include "model/token_count.h"

namespace perdure {
namespace {

using Stop = ModelAnswer::Stop;
using enum FailureClass;

struct FinishRow {
  std::string_view reason;
  Stop stop;
  FailureClass failure = kNone;  // other than none: the end of no answer
};

// https://ai.google.dev/api/generate-content#FinishReason
constexpr FinishRow kFinishes[] = {
    {"STOP", Stop::kEndTurn},  // also behind calls
    {"MAX_TOKENS", Stop::kTruncated},
    {"SAFETY", Stop::kRefusal},
    {"RECITATION", Stop::kRefusal},
    {"BLOCKLIST", Stop::kRefusal},
    {"PROHIBITED_CONTENT", Stop::kRefusal},
    {"SPII", Stop::kRefusal},
    {"MODEL_ARMOR", Stop::kRefusal},
    {"IMAGE_SAFETY", Stop::kRefusal},
    {"IMAGE_PROHIBITED_CONTENT", Stop::kRefusal},
    {"IMAGE_RECITATION", Stop::kRefusal},
    {"MALFORMED_FUNCTION_CALL", Stop::kMalformedCall},
    {"UNEXPECTED_TOOL_CALL", Stop::kMalformedCall},
    {"MISSING_THOUGHT_SIGNATURE", Stop::kEndTurn, kInvalid},
    {"TOO_MANY_TOOL_CALLS", Stop::kTooManyCalls},
    {"LANGUAGE", Stop::kEndTurn, kMalformedOutput},
    {"OTHER", Stop::kEndTurn, kMalformedOutput},
    {"NO_IMAGE", Stop::kEndTurn, kMalformedOutput},
    {"IMAGE_OTHER", Stop::kEndTurn, kMalformedOutput},
};

const FinishRow* find_finish(std::string_view reason) {
  const auto* row = std::find_if(std::begin(kFinishes), std::end(kFinishes),
                                 [&](const FinishRow& r) { return r.reason == reason; });
  return row != std::end(kFinishes) ? row : nullptr;
}

bool is_true(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// {"text"} or {"text", "thought"}: such parts of a stream are pieces of one.
bool is_plain_text(const json::object& part) {
  return text_in(part, "thoughtSignature").empty() && part.contains("text") &&
         part.size() == (part.contains("thought") ? 2u : 1u);
}

}  // namespace

GeminiAssembly::GeminiAssembly(AnswerBuilder::OnDelta on_delta, const AnswerLimits& limits)
    : builder_(std::move(on_delta), limits) {}

void GeminiAssembly::add(const json::object& response) {
  if (!damage().empty() || error_) return;
  if (const json::value* error = response.if_contains("error"); error && !error->is_null()) {
    error_ = response;
    return;
  }
  ModelAnswer& answer = builder_.answer();
  if (const auto id = text_in(response, "responseId"); !id.empty()) answer.response_id = id;
  if (const auto model = text_in(response, "modelVersion"); !model.empty()) answer.model = model;
  if (const auto* usage = object_in(response, "usageMetadata")) add_usage(*usage);
  if (const auto* feedback = object_in(response, "promptFeedback")) {
    recognised_ = true;
    if (const auto why = text_in(*feedback, "blockReason"); !why.empty()) block_reason_ = why;
  }
  const json::array* candidates = array_in(response, "candidates");
  if (candidates == nullptr) return;
  recognised_ = true;
  for (const json::value& item : *candidates) {
    const json::object* candidate = item.if_object();
    // One answer was asked for: a second candidate is nobody's.
    if (candidate && integer_in(*candidate, "index").value_or(0) == 0) add_candidate(*candidate);
  }
}

void GeminiAssembly::add_candidate(const json::object& candidate) {
  const json::object* content = object_in(candidate, "content");
  if (const json::array* parts = content ? array_in(*content, "parts") : nullptr) {
    for (const json::value& item : *parts) {
      if (const json::object* part = item.if_object()) add_part(*part);
    }
  }
  if (const auto reason = text_in(candidate, "finishReason"); !reason.empty()) {
    finish_reason_ = reason;
    finish_message_ = text_in(candidate, "finishMessage");
  }
}

void GeminiAssembly::add_part(const json::object& part) {
  const std::string_view text = text_in(part, "text");
  const bool is_thought = is_true(part, "thought");
  const json::object* call = object_in(part, "functionCall");
  if (finished() && (!text.empty() || call != nullptr)) grew_after_finish_ = true;
  if (call != nullptr) {
    add_call(*call);
  } else if (!is_thought) {
    builder_.add_text(text);
  }
  must_keep_parts_ |= call != nullptr || is_thought || !is_plain_text(part);
  keep(part);
}

void GeminiAssembly::add_call(const json::object& call) {
  // Only whoever asks for it gets arguments in pieces.
  if (call.contains("partialArgs") || is_true(call, "willContinue") || call.empty()) {
    return spoil("a function call came in pieces, which was not asked for");
  }
  ToolCall* slot = builder_.add_call();
  if (slot == nullptr) return;
  slot->id = text_in(call, "id");
  slot->name = text_in(call, "name");
  const json::object* args = object_in(call, "args");
  slot->arguments = args != nullptr ? to_json(*args) : "{}";
  builder_.count(slot->id.size() + slot->name.size() + slot->arguments.size());
}

void GeminiAssembly::keep(const json::object& part) {
  if (is_plain_text(part) && text_in(part, "text").empty()) return;
  if (!parts_.empty() && is_plain_text(part)) {
    json::object& last = parts_.back().get_object();
    if (is_plain_text(last) && is_true(last, "thought") == is_true(part, "thought")) {
      const std::string_view text = text_in(part, "text");
      if (builder_.count(text.size())) last["text"].as_string().append(text);
      return;
    }
  }
  if (builder_.count(to_json(part).size())) parts_.emplace_back(part);
}

void GeminiAssembly::add_usage(const json::object& usage) {
  const auto prompt = tokens_in(usage, "promptTokenCount");
  if (!prompt) return;
  const auto count = [&](std::string_view name) { return tokens_in(usage, name).value_or(0); };
  ModelAnswer& answer = builder_.answer();
  answer.input_tokens = *prompt + count("toolUsePromptTokenCount");
  answer.cached_input_tokens = count("cachedContentTokenCount");
  answer.reasoning_tokens = count("thoughtsTokenCount");
  answer.output_tokens = count("candidatesTokenCount") + answer.reasoning_tokens;
}

std::optional<CallFailure> GeminiAssembly::failure() const {
  const FinishRow* row = find_finish(finish_reason_);
  if (row == nullptr || row->failure == kNone) return std::nullopt;
  return CallFailure{
      row->failure, outcome_of(row->failure), 0,
      describe_failure("the answer ended with", finish_reason_, finish_message_, nullptr)};
}

bool GeminiAssembly::set_stop() {
  ModelAnswer& answer = builder_.answer();
  if (finish_reason_.empty()) {
    builder_.add_refusal("the prompt was blocked: " + one_line(block_reason_));
    answer.stop = Stop::kRefusal;
    return true;
  }
  const FinishRow* row = find_finish(finish_reason_);
  if (row == nullptr) {
    spoil(fmt::format("unknown finishReason '{}'", one_line(finish_reason_).substr(0, 64)));
    return false;
  }
  answer.stop = row->stop;
  if (answer.stop == Stop::kMalformedCall || answer.stop == Stop::kTooManyCalls) {
    answer.stop_detail = one_line(finish_message_.empty() ? finish_reason_ : finish_message_);
    // Nobody answers the calls that are left, so they may not go back either.
    answer.calls.clear();
    must_keep_parts_ = false;
  }
  if (answer.stop == Stop::kRefusal) {
    builder_.add_refusal(finish_message_.empty() ? "the answer was stopped: " + finish_reason_
                                                 : finish_message_);
  }
  return true;
}

void GeminiAssembly::set_raw() {
  if (must_keep_parts_ && !parts_.empty()) {
    builder_.answer().raw = {std::string(kGeminiDialect), to_json(parts_)};
  }
}

std::optional<ModelAnswer> GeminiAssembly::take() {
  if (!damage().empty() || !set_stop()) return std::nullopt;
  set_raw();
  return builder_.take();
}

}  // namespace perdure
