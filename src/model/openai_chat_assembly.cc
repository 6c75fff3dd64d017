#include "model/openai_chat_assembly.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json_fields.h"
#include "model/token_count.h"

namespace perdure {
namespace {

struct FinishRow {
  std::string_view reason;
  ModelAnswer::Stop stop;
};

// The first five are OpenAI's; the others are seen from servers that imitate it.
constexpr FinishRow kFinishes[] = {
    {"stop", ModelAnswer::Stop::kEndTurn},
    {"length", ModelAnswer::Stop::kTruncated},
    {"tool_calls", ModelAnswer::Stop::kToolCalls},
    {"function_call", ModelAnswer::Stop::kToolCalls},
    {"content_filter", ModelAnswer::Stop::kRefusal},
    {"end_turn", ModelAnswer::Stop::kEndTurn},
    {"eos", ModelAnswer::Stop::kEndTurn},
    {"stop_sequence", ModelAnswer::Stop::kEndTurn},
    {"model_length", ModelAnswer::Stop::kTruncated},
    {"max_tokens", ModelAnswer::Stop::kTruncated},
    {"safety", ModelAnswer::Stop::kRefusal},
};

// Reasoning too, under whatever name.
bool says_anything(const json::object& message) {
  return std::any_of(message.begin(), message.end(), [](const auto& member) {
    if (member.key() == "role") return false;
    const json::value& value = member.value();
    return (value.is_string() && !value.get_string().empty()) ||
           (value.is_array() && !value.get_array().empty()) || value.is_object();
  });
}

}  // namespace

OpenAiChatAssembly::OpenAiChatAssembly(AnswerBuilder::OnDelta on_delta, const AnswerLimits& limits)
    : builder_(std::move(on_delta), limits) {}

void OpenAiChatAssembly::add(const json::object& chunk) {
  if (!damage().empty() || error_) return;
  const json::value* error = chunk.if_contains("error");
  const bool typed_error = text_in(chunk, "type") == "error";
  if ((error != nullptr && !error->is_null()) || typed_error) {
    error_ = error != nullptr && !error->is_null() ? *error : json::value(chunk);
    return;
  }
  const json::array* choices = array_in(chunk, "choices");
  if (choices != nullptr) recognised_ = true;
  if (const auto id = text_in(chunk, "id"); !id.empty()) builder_.answer().response_id = id;
  if (const auto model = text_in(chunk, "model"); !model.empty()) builder_.answer().model = model;
  if (const json::value* usage = chunk.if_contains("usage")) add_usage(*usage);
  if (choices == nullptr) return;
  for (const json::value& item : *choices) {
    const json::object* choice = item.if_object();
    // One answer was asked for: a second choice is nobody's.
    if (choice != nullptr && integer_in(*choice, "index").value_or(0) == 0) add_choice(*choice);
  }
}

void OpenAiChatAssembly::add_choice(const json::object& choice) {
  if (const json::object* error = object_in(choice, "error")) {
    error_ = *error;
    return;
  }
  for (const std::string_view name : {"delta", "message"}) {
    if (const json::object* message = object_in(choice, name)) add_message(*message);
  }
  if (const auto reason = text_in(choice, "finish_reason"); !reason.empty()) {
    finish_reason_ = reason;
  }
}

void OpenAiChatAssembly::add_message(const json::object& message) {
  if (says_anything(message)) builder_.begin_output();
  if (const json::value* content = message.if_contains("content")) add_content(*content);
  if (const auto refusal = text_in(message, "refusal"); !refusal.empty()) {
    if (finished()) grew_after_finish_ = true;
    builder_.add_refusal(refusal);
  }
  if (const json::array* calls = array_in(message, "tool_calls")) {
    for (const json::value& item : *calls) {
      if (const json::object* call = item.if_object()) add_call(*call);
    }
  }
}

void OpenAiChatAssembly::add_content(const json::value& content) {
  if (const json::string* text = content.if_string()) return add_text(*text);
  const json::array* parts = content.if_array();
  if (parts == nullptr) return;
  for (const json::value& item : *parts) {
    const json::object* part = item.if_object();
    if (part != nullptr && text_in(*part, "type") == "text") add_text(text_in(*part, "text"));
  }
}

bool OpenAiChatAssembly::count(size_t bytes) {
  if (bytes > 0 && finished()) grew_after_finish_ = true;
  return builder_.count(bytes);
}

void OpenAiChatAssembly::add_text(std::string_view text) {
  if (!text.empty() && finished()) grew_after_finish_ = true;
  builder_.add_text(text);
}

// Null: the piece belongs to no call.
ToolCall* OpenAiChatAssembly::slot_for(const json::object& call, std::string_view id,
                                       std::string_view name) {
  std::vector<ToolCall>& calls = builder_.answer().calls;
  const auto index = integer_in(call, "index");
  ToolCall* found = nullptr;
  if (index) {
    const auto at = std::find(call_indexes_.rbegin(), call_indexes_.rend(), *index);
    if (at != call_indexes_.rend()) found = &calls[call_indexes_.rend() - at - 1];
  } else if (!calls.empty()) {
    found = &calls.back();
  }
  // With a name and another id, or with a name and nothing to tell it from the last call, it is a
  // new call: some servers give every call the index 0, or send whole calls without index and id.
  const bool other_id = found && !id.empty() && !found->id.empty() && found->id != id;
  const bool whole_call = found && !index && id.empty() && !name.empty();
  const bool late_id = found && !index && !id.empty() && found->id.empty() && !name.empty();
  if (found && !(other_id && !name.empty()) && !whole_call && !late_id) {
    if (other_id) spoil("a tool call changed its id");
    // A second whole call under the same id, not a piece of the first.
    if (!index && !id.empty() && !name.empty()) spoil("two tool calls have the same id");
    return found;
  }
  if (name.empty() && id.empty()) {
    spoil("a piece of a tool call belongs to no call");
    return nullptr;
  }
  ToolCall* added = builder_.add_call();
  if (added != nullptr) call_indexes_.push_back(index.value_or(-1));
  return added;
}

void OpenAiChatAssembly::add_call(const json::object& call) {
  const json::object* function = object_in(call, "function");
  const std::string_view id = text_in(call, "id");
  const std::string_view name = function ? text_in(*function, "name") : std::string_view();
  ToolCall* slot = slot_for(call, id, name);
  if (slot == nullptr || !count(id.size() + name.size())) return;
  if (slot->id.empty()) slot->id = id;
  if (slot->name.empty()) slot->name = name;
  if (!name.empty() && name != slot->name) spoil("a tool call changed its name");
  const json::value* arguments = function ? function->if_contains("arguments") : nullptr;
  if (arguments == nullptr || arguments->is_null()) return;
  // An object in the place of its text: some servers have parsed it already.
  const std::string written =
      arguments->is_string() ? std::string(arguments->get_string()) : to_json(*arguments);
  if (count(written.size())) slot->arguments += written;
}

void OpenAiChatAssembly::add_usage(const json::value& value) {
  const json::object* usage = value.if_object();
  if (usage == nullptr) return;
  ModelAnswer& answer = builder_.answer();
  const auto input = tokens_in(*usage, "prompt_tokens");
  const auto output = tokens_in(*usage, "completion_tokens");
  const auto total = tokens_in(*usage, "total_tokens");
  if (input) answer.input_tokens = *input;
  const json::object* in = object_in(*usage, "prompt_tokens_details");
  auto cached = in ? tokens_in(*in, "cached_tokens") : std::nullopt;
  if (!cached) cached = tokens_in(*usage, "prompt_cache_hit_tokens");  // DeepSeek
  answer.cached_input_tokens = cached.value_or(answer.cached_input_tokens);
  if (const json::object* out = object_in(*usage, "completion_tokens_details")) {
    answer.reasoning_tokens = tokens_in(*out, "reasoning_tokens").value_or(answer.reasoning_tokens);
  }
  if (!output) return;
  answer.output_tokens = *output;
  // xAI counts reasoning in the total alone, and charges for it.
  if (input && total && *total >= *input) {
    answer.output_tokens = std::max(answer.output_tokens, *total - *input);
  }
}

bool OpenAiChatAssembly::set_stop() {
  const auto row = std::find_if(std::begin(kFinishes), std::end(kFinishes),
                                [&](const FinishRow& r) { return r.reason == finish_reason_; });
  if (row == std::end(kFinishes)) {
    spoil(fmt::format("unknown finish_reason '{}'", finish_reason_.substr(0, 64)));
    return false;
  }
  builder_.answer().stop = row->stop;
  return true;
}

std::optional<ModelAnswer> OpenAiChatAssembly::take() {
  if (!damage().empty() || !set_stop()) return std::nullopt;
  return builder_.take();
}

}  // namespace perdure
