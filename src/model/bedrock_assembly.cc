#include "model/bedrock_assembly.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/json_fields.h"
#include "model/bedrock_request.h"
#include "model/json_text.h"
#include "model/token_count.h"

namespace perdure {
namespace {

using Stop = ModelAnswer::Stop;
using enum FailureClass;

struct StopRow {
  std::string_view reason;
  Stop stop;
  FailureClass failure = kNone;  // other than none: the end of no answer
};

constexpr StopRow kStops[] = {
    {"end_turn", Stop::kEndTurn},
    {"tool_use", Stop::kToolCalls},
    {"max_tokens", Stop::kTruncated},
    {"stop_sequence", Stop::kEndTurn},
    {"guardrail_intervened", Stop::kRefusal},
    {"content_filtered", Stop::kRefusal},
    {"refusal", Stop::kRefusal},
    {"model_context_window_exceeded", Stop::kContextOverflow},
    {"malformed_model_output", Stop::kEndTurn, kMalformedOutput},
    {"malformed_tool_use", Stop::kEndTurn, kMalformedOutput},
};

const StopRow* find_stop(std::string_view reason) {
  const auto* row = std::find_if(std::begin(kStops), std::end(kStops),
                                 [&](const StopRow& r) { return r.reason == reason; });
  return row != std::end(kStops) ? row : nullptr;
}

}  // namespace

BedrockAssembly::BedrockAssembly(AnswerBuilder::OnDelta on_delta, const AnswerLimits& limits)
    : builder_(std::move(on_delta), limits), blocks_max_(2 * limits.calls) {}

void BedrockAssembly::add(std::string_view name, const json::object& event) {
  if (!damage().empty()) return;
  if (name == "messageStart") {
    recognised_ = true;
  } else if (name == "contentBlockStart") {
    start_block(event);
  } else if (name == "contentBlockDelta") {
    add_delta(event);
  } else if (name == "messageStop") {
    recognised_ = true;
    stop_reason_ = text_in(event, "stopReason");
    if (stop_reason_.empty()) spoil("the answer ends without a stopReason");
  } else if (name == "metadata") {
    if (const auto* usage = object_in(event, "usage")) add_usage(*usage);
  }
}

BedrockAssembly::Block* BedrockAssembly::block_of(const json::object& event) {
  recognised_ = true;
  builder_.begin_output();
  const auto index = integer_in(event, "contentBlockIndex");
  if (!index) {
    spoil("a piece of content names no block");
    return nullptr;
  }
  if (finished()) {
    spoil("content came behind the end of the answer");
    return nullptr;
  }
  if (!blocks_.contains(*index) && blocks_.size() >= blocks_max_) {
    spoil("the answer has more blocks than are accepted");
    return nullptr;
  }
  return &blocks_[*index];
}

void BedrockAssembly::start_block(const json::object& event) {
  Block* block = block_of(event);
  const json::object* start = object_in(event, "start");
  const json::object* use = start != nullptr ? object_in(*start, "toolUse") : nullptr;
  if (block == nullptr || use == nullptr) return;
  if (block->call) return spoil("a tool call begins twice");
  ToolCall* call = builder_.add_call();
  if (call == nullptr) return;
  call->id = text_in(*use, "toolUseId");
  call->name = text_in(*use, "name");
  builder_.count(call->id.size() + call->name.size());
  block->call = builder_.answer().calls.size() - 1;
}

void BedrockAssembly::add_delta(const json::object& event) {
  Block* block = block_of(event);
  const json::object* delta = object_in(event, "delta");
  if (block == nullptr || delta == nullptr) return;
  if (const auto text = text_in(*delta, "text"); !text.empty()) {
    builder_.add_text(text);
    if (damage().empty()) block->text += text;
  }
  if (const json::object* use = object_in(*delta, "toolUse")) {
    if (!block->call) return spoil("a piece of a tool call belongs to no call");
    const std::string_view input = text_in(*use, "input");
    if (builder_.count(input.size())) builder_.answer().calls[*block->call].arguments += input;
  }
  if (const json::object* reasoning = object_in(*delta, "reasoningContent")) {
    add_reasoning(*block, *reasoning);
  }
}

void BedrockAssembly::add_reasoning(Block& block, const json::object& piece) {
  const std::pair<std::string_view, std::string*> parts[] = {
      {text_in(piece, "text"), &block.reasoning},
      {text_in(piece, "signature"), &block.signature},
      {text_in(piece, "redactedContent"), &block.redacted},
  };
  for (const auto& [text, part] : parts) {
    if (builder_.count(text.size())) *part += text;
  }
}

// inputTokens are those that no cache had a part in:
// https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
void BedrockAssembly::add_usage(const json::object& usage) {
  const auto input = tokens_in(usage, "inputTokens");
  const auto output = tokens_in(usage, "outputTokens");
  if (!input || !output) return;
  ModelAnswer& answer = builder_.answer();
  answer.cached_input_tokens = tokens_in(usage, "cacheReadInputTokens").value_or(0);
  answer.cache_write_tokens = tokens_in(usage, "cacheWriteInputTokens").value_or(0);
  answer.input_tokens = *input + answer.cached_input_tokens + answer.cache_write_tokens;
  answer.output_tokens = *output;
}

std::optional<CallFailure> BedrockAssembly::failure() const {
  const StopRow* row = find_stop(stop_reason_);
  if (row == nullptr || row->failure == kNone) return std::nullopt;
  return CallFailure{row->failure, outcome_of(row->failure), 0,
                     describe_failure("the answer ended with", stop_reason_, "", nullptr)};
}

bool BedrockAssembly::set_stop() {
  const StopRow* row = find_stop(stop_reason_);
  if (row == nullptr) {
    spoil(fmt::format("unknown stopReason '{}'", one_line(stop_reason_).substr(0, 64)));
    return false;
  }
  builder_.answer().stop = row->stop;
  if (row->stop == Stop::kRefusal) builder_.add_refusal("the answer was stopped: " + stop_reason_);
  return true;
}

// Only reasoning needs it: its signature holds for the text and the order in which it came.
void BedrockAssembly::set_raw() {
  const bool reasons = std::any_of(blocks_.begin(), blocks_.end(), [](const auto& entry) {
    const Block& block = entry.second;
    return !block.reasoning.empty() || !block.signature.empty() || !block.redacted.empty();
  });
  if (!reasons) return;
  ModelAnswer& answer = builder_.answer();
  std::string items;
  const auto put = [&](std::string_view before, std::string_view text, std::string_view after) {
    items += before;
    put_json_string(items, text);
    items += after;
  };
  for (const auto& [index, block] : blocks_) {
    items += items.empty() ? "[" : ",";
    if (block.call) {
      const ToolCall& call = answer.calls[*block.call];
      put(R"({"toolUse":{"toolUseId":)", call.id, "");
      put(R"(,"name":)", call.name, R"(,"input":)");
      put_json_object(items, call.arguments);
      items += "}}";
    } else if (!block.redacted.empty()) {
      put(R"({"reasoningContent":{"redactedContent":)", block.redacted, "}}");
    } else if (!block.text.empty()) {
      put(R"({"text":)", block.text, "}");
    } else {
      put(R"({"reasoningContent":{"reasoningText":{"text":)", block.reasoning, "");
      if (!block.signature.empty()) put(R"(,"signature":)", block.signature, "");
      items += "}}}";
    }
  }
  answer.raw = {std::string(kBedrockDialect), items + "]"};
}

std::optional<ModelAnswer> BedrockAssembly::take(std::string_view response_id) {
  if (!damage().empty() || !set_stop()) return std::nullopt;
  for (ToolCall& call : builder_.answer().calls) {
    if (call.arguments.empty()) call.arguments = "{}";
    if (call.id.empty()) spoil("a tool call has no id");
  }
  builder_.answer().response_id = response_id;
  set_raw();
  return builder_.take();
}

}  // namespace perdure
