#include "model/answer_assembly.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/text.h"

namespace perdure {
namespace {

// Empty when absent, null, or something else.
std::string_view text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

std::optional<int64_t> integer_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

// More than any model can read or write: a mistake of the server, and taken for unknown.
constexpr int64_t kTokensMax = 1'000'000'000;

std::optional<int64_t> tokens_in(const json::object& usage, std::string_view name) {
  const auto tokens = integer_in(usage, name);
  return tokens && *tokens >= 0 && *tokens <= kTokensMax ? tokens : std::nullopt;
}

const json::object* object_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr ? value->if_object() : nullptr;
}

const json::array* array_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr ? value->if_array() : nullptr;
}

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

}  // namespace

AnswerAssembly::AnswerAssembly(OnDelta on_delta, size_t text_bytes_max, size_t calls_max)
    : on_delta_(std::move(on_delta)), text_bytes_left_(text_bytes_max), calls_max_(calls_max) {}

void AnswerAssembly::spoil(std::string why) {
  if (damage_.empty()) damage_ = std::move(why);
}

bool AnswerAssembly::count(size_t bytes) {
  if (bytes > text_bytes_left_) {
    spoil("the answer is larger than is accepted");
    return false;
  }
  text_bytes_left_ -= bytes;
  if (bytes > 0 && finished()) grew_after_finish_ = true;
  return true;
}

void AnswerAssembly::add(const json::object& chunk) {
  if (!damage_.empty() || error_) return;
  const json::value* error = chunk.if_contains("error");
  const bool typed_error = text_in(chunk, "type") == "error";
  if ((error != nullptr && !error->is_null()) || typed_error) {
    error_ = error != nullptr && !error->is_null() ? *error : json::value(chunk);
    return;
  }
  const json::array* choices = array_in(chunk, "choices");
  if (choices != nullptr) recognised_ = true;
  if (const auto id = text_in(chunk, "id"); !id.empty()) answer_.response_id = id;
  if (const auto model = text_in(chunk, "model"); !model.empty()) answer_.model = model;
  if (const json::value* usage = chunk.if_contains("usage")) add_usage(*usage);
  if (choices == nullptr) return;
  for (const json::value& item : *choices) {
    const json::object* choice = item.if_object();
    // One answer was asked for: a second choice is nobody's.
    if (choice != nullptr && integer_in(*choice, "index").value_or(0) == 0) add_choice(*choice);
  }
}

void AnswerAssembly::add_choice(const json::object& choice) {
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

void AnswerAssembly::add_message(const json::object& message) {
  if (const json::value* content = message.if_contains("content")) add_content(*content);
  if (const auto refusal = text_in(message, "refusal"); count(refusal.size())) {
    answer_.refusal += refusal;
  }
  if (const json::array* calls = array_in(message, "tool_calls")) {
    for (const json::value& item : *calls) {
      if (const json::object* call = item.if_object()) add_call(*call);
    }
  }
}

void AnswerAssembly::add_content(const json::value& content) {
  if (const json::string* text = content.if_string()) return add_text(*text);
  const json::array* parts = content.if_array();
  if (parts == nullptr) return;
  for (const json::value& item : *parts) {
    const json::object* part = item.if_object();
    if (part != nullptr && text_in(*part, "type") == "text") add_text(text_in(*part, "text"));
  }
}

void AnswerAssembly::add_text(std::string_view text) {
  if (text.empty() || !count(text.size())) return;
  answer_.text += text;
  if (on_delta_) on_delta_(text);
}

// Null: the piece belongs to no call.
ToolCall* AnswerAssembly::slot_for(const json::object& call, std::string_view id,
                                   std::string_view name) {
  std::vector<ToolCall>& calls = answer_.calls;
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
  if (calls.size() >= calls_max_) {
    spoil("the answer has more tool calls than are accepted");
    return nullptr;
  }
  call_indexes_.push_back(index.value_or(-1));
  return &calls.emplace_back();
}

void AnswerAssembly::add_call(const json::object& call) {
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

void AnswerAssembly::add_usage(const json::value& value) {
  const json::object* usage = value.if_object();
  if (usage == nullptr) return;
  const auto input = tokens_in(*usage, "prompt_tokens");
  const auto output = tokens_in(*usage, "completion_tokens");
  const auto total = tokens_in(*usage, "total_tokens");
  if (input) answer_.input_tokens = *input;
  if (!output) return;
  answer_.output_tokens = *output;
  // xAI counts reasoning in the total alone, and charges for it.
  if (input && total && *total >= *input) {
    answer_.output_tokens = std::max(answer_.output_tokens, *total - *input);
  }
}

bool AnswerAssembly::settle_calls() {
  std::set<std::string_view> ids;
  for (size_t i = 0; i < answer_.calls.size(); ++i) {
    ToolCall& call = answer_.calls[i];
    if (call.name.empty()) spoil("a tool call has no name");
    if (call.id.empty()) {
      Hasher hasher;
      hasher.add(answer_.response_id).add(fmt::format("/{}/", i)).add(call.name);
      const Sha256 hash = hasher.add("/").add(call.arguments).finish();
      call.id = "call_" + to_hex(hash.view().substr(0, 12));
    }
    if (!ids.insert(call.id).second) spoil("two tool calls have the same id");
  }
  return damage_.empty();
}

bool AnswerAssembly::settle_stop() {
  const auto row = std::find_if(std::begin(kFinishes), std::end(kFinishes),
                                [&](const FinishRow& r) { return r.reason == finish_reason_; });
  if (row == std::end(kFinishes)) {
    spoil(fmt::format("unknown finish_reason '{}'", finish_reason_.substr(0, 64)));
    return false;
  }
  using Stop = ModelAnswer::Stop;
  answer_.stop = row->stop;
  if (answer_.stop == Stop::kEndTurn && !answer_.calls.empty()) answer_.stop = Stop::kToolCalls;
  if (answer_.stop == Stop::kEndTurn && !answer_.refusal.empty()) answer_.stop = Stop::kRefusal;
  if (answer_.stop == Stop::kToolCalls && answer_.calls.empty()) {
    spoil("finish_reason names tool calls, and there are none");
  }
  return damage_.empty();
}

std::optional<ModelAnswer> AnswerAssembly::take() {
  if (!damage_.empty() || !settle_calls() || !settle_stop()) return std::nullopt;
  return std::move(answer_);
}

}  // namespace perdure
