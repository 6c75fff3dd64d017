#include "model/anthropic_stream.h"

#include <fmt/core.h>

#include "base/json_fields.h"
#include "model/anthropic_errors.h"
#include "model/anthropic_request.h"
#include "model/json_text.h"
#include "model/token_count.h"

namespace perdure {
namespace {

using Stop = ModelAnswer::Stop;

struct StopRow {
  std::string_view reason;
  Stop stop;
};

constexpr StopRow kStops[] = {
    {"end_turn", Stop::kEndTurn},      {"max_tokens", Stop::kTruncated},
    {"stop_sequence", Stop::kEndTurn}, {"tool_use", Stop::kToolCalls},
    {"pause_turn", Stop::kPaused},     {"compaction", Stop::kPaused},
    {"refusal", Stop::kRefusal},       {"model_context_window_exceeded", Stop::kContextOverflow},
};

// Blocks and deltas whose text may come in pieces, and the member that it makes longer.
struct TextDelta {
  std::string_view type;
  std::string_view carried_in;
  std::string_view member;
};
constexpr TextDelta kTextDeltas[] = {
    {"text_delta", "text", "text"},
    {"thinking_delta", "thinking", "thinking"},
    {"signature_delta", "signature", "signature"},
    {"compaction_delta", "content", "content"},
};

bool only_has(const json::object& object, std::initializer_list<std::string_view> names) {
  for (const auto& member : object) {
    if (std::find(names.begin(), names.end(), std::string_view(member.key())) == names.end() &&
        !member.value().is_null()) {
      return false;
    }
  }
  return true;
}

// Members in the order in which they came; `input` as it was written.
void put_block(std::string& out, const json::object& block, const std::string& input) {
  out += '{';
  bool first = true;
  for (const auto& member : block) {
    if (!first) out += ',';
    first = false;
    put_json_string(out, member.key());
    out += ':';
    const bool as_written = std::string_view(member.key()) == "input" && !input.empty();
    out += as_written ? input : to_json(member.value());
  }
  out += '}';
}

bool is_json_object(const std::string& text) {
  const auto value = parse_json(text, "input", {.size_bytes = 64u << 20});
  return value && value->is_object();
}

}  // namespace

AnthropicStream::AnthropicStream(ReaderEvents events, AnswerLimits limits)
    : limits_(limits),
      builder_(std::move(events.on_delta), limits),
      body_([this](const SseEvent& event) { read_event(event); }, limits.sse) {}

void AnthropicStream::feed(std::string_view bytes) {
  if (auto read = body_.feed(bytes); !read) builder_.spoil(read.error().message);
}

void AnthropicStream::read_event(const SseEvent& event) {
  if (!builder_.damage().empty() || error_) return;
  const auto parsed = parse_json(event.data, "event", {.size_bytes = limits_.sse.event_bytes});
  if (!parsed) return builder_.spoil(parsed.error().message);
  const json::object* object = parsed->if_object();
  if (object == nullptr) return builder_.spoil("an event is not an object");
  const std::string_view type = text_in(*object, "type");
  if (type == "error" || event.type == "error") {
    const json::value* error = object->if_contains("error");
    error_ = error != nullptr ? *error : *parsed;
  } else if (type == "message_start") {
    if (const json::object* message = object_in(*object, "message")) begin_message(*message);
  } else if (type == "content_block_start") {
    const json::object* block = object_in(*object, "content_block");
    if (block != nullptr) begin_block(integer_in(*object, "index").value_or(-1), *block);
  } else if (type == "content_block_delta") {
    const json::object* delta = object_in(*object, "delta");
    if (delta != nullptr) add_delta(integer_in(*object, "index").value_or(-1), *delta);
  } else if (type == "message_delta") {
    if (const json::object* usage = object_in(*object, "usage")) add_usage(*usage);
    if (const json::object* delta = object_in(*object, "delta")) add_end(*delta);
  }
}

void AnthropicStream::begin_message(const json::object& message) {
  const std::string_view id = text_in(message, "id");
  // A proxy that calls again by itself sends a second beginning. What the first one said to people
  // cannot be taken back.
  if (recognised_ && id != builder_.answer().response_id) {
    if (!builder_.answer().text.empty()) return builder_.spoil("a second message began");
    blocks_.clear();
    by_index_.clear();
  }
  recognised_ = true;
  builder_.answer().response_id = id;
  builder_.answer().model = text_in(message, "model");
  if (const json::object* usage = object_in(message, "usage")) add_usage(*usage);
}

void AnthropicStream::begin_block(int64_t index, const json::object& block) {
  if (!stop_reason_.empty()) return builder_.spoil("a block came behind the end");
  if (!builder_.count(to_json(block).size())) return;
  if (blocks_.size() >= limits_.blocks) return builder_.spoil("the answer has too many blocks");
  by_index_[index] = blocks_.size();
  blocks_.push_back({block, {}});
  if (text_in(block, "type") == "text") builder_.add_text(text_in(block, "text"));
}

void AnthropicStream::add_text_to(Block& block, std::string_view member, std::string_view more) {
  if (!builder_.count(more.size())) return;
  json::value& value = block.object[member];
  if (!value.is_string()) value = json::string();
  value.get_string().append(more);
}

void AnthropicStream::add_delta(int64_t index, const json::object& delta) {
  const auto found = by_index_.find(index);
  if (found == by_index_.end()) return builder_.spoil("a piece belongs to no block");
  if (!stop_reason_.empty()) return builder_.spoil("a piece came behind the end");
  Block& block = blocks_[found->second];
  const std::string_view type = text_in(delta, "type");
  for (const TextDelta& row : kTextDeltas) {
    if (row.type != type) continue;
    const std::string_view more = text_in(delta, row.carried_in);
    add_text_to(block, row.member, more);
    if (type == "text_delta") builder_.add_text(more);
    return;
  }
  if (type == "input_json_delta") {
    const std::string_view more = text_in(delta, "partial_json");
    if (builder_.count(more.size())) block.partial_json += more;
  } else if (const json::value* citation = delta.if_contains("citation")) {
    if (!builder_.count(to_json(*citation).size())) return;
    json::value& citations = block.object["citations"];
    if (!citations.is_array()) citations = json::array();
    citations.get_array().push_back(*citation);
  } else {
    raw_is_whole_ = false;
  }
}

void AnthropicStream::add_end(const json::object& delta) {
  const std::string_view reason = text_in(delta, "stop_reason");
  if (reason.empty()) return;
  stop_reason_ = reason;
  if (reason != "refusal") return;
  const json::object* details = object_in(delta, "stop_details");
  std::string words(details != nullptr ? text_in(*details, "explanation") : std::string_view());
  if (words.empty()) words = "the provider's safety filter ended the answer";
  const std::string_view category =
      details != nullptr ? text_in(*details, "category") : std::string_view();
  if (!category.empty()) words += fmt::format(" ({})", category);
  builder_.add_refusal(words);
}

void AnthropicStream::add_usage(const json::object& usage) {
  ModelAnswer& answer = builder_.answer();
  uncached_tokens_ = tokens_in(usage, "input_tokens").value_or(uncached_tokens_);
  answer.cached_input_tokens =
      tokens_in(usage, "cache_read_input_tokens").value_or(answer.cached_input_tokens);
  answer.cache_write_tokens =
      tokens_in(usage, "cache_creation_input_tokens").value_or(answer.cache_write_tokens);
  answer.output_tokens = tokens_in(usage, "output_tokens").value_or(answer.output_tokens);
  if (const json::object* details = object_in(usage, "output_tokens_details")) {
    answer.reasoning_tokens =
        tokens_in(*details, "thinking_tokens").value_or(answer.reasoning_tokens);
  }
  if (uncached_tokens_ < 0) return;
  answer.input_tokens = uncached_tokens_ + answer.cached_input_tokens + answer.cache_write_tokens;
}

void AnthropicStream::read_message(const json::object& message) {
  if (const json::value* error = message.if_contains("error")) {
    error_ = *error;
    return;
  }
  const json::array* content = array_in(message, "content");
  if (content == nullptr) return;
  begin_message(message);
  for (size_t i = 0; i < content->size(); ++i) {
    const json::object* block = (*content)[i].if_object();
    if (block == nullptr) return builder_.spoil("a block is not an object");
    begin_block(static_cast<int64_t>(i), *block);
  }
  add_end(message);
}

void AnthropicStream::add_call(const Block& block) {
  ToolCall* call = builder_.add_call();
  if (call == nullptr) return;
  call->id = text_in(block.object, "id");
  call->name = text_in(block.object, "name");
  const json::object* input = object_in(block.object, "input");
  if (!block.partial_json.empty()) {
    call->arguments = block.partial_json;
  } else if (input != nullptr && !input->empty()) {
    call->arguments = to_json(*input);
  }
}

// Text, then calls, and nothing in them that would be lost.
bool AnthropicStream::canonical_fields_hold_all() const {
  bool text_seen = false, call_seen = false;
  for (const Block& block : blocks_) {
    const std::string_view type = text_in(block.object, "type");
    if (type == "text" && !text_seen && !call_seen && only_has(block.object, {"type", "text"})) {
      text_seen = true;
    } else if (type == "tool_use" && only_has(block.object, {"type", "id", "name", "input"})) {
      call_seen = true;
    } else {
      return false;
    }
  }
  return true;
}

std::string AnthropicStream::raw_items() const {
  std::string out = "[";
  for (const Block& block : blocks_) {
    const std::string_view type = text_in(block.object, "type");
    if (type == "text" && text_in(block.object, "text").empty()) continue;  // is refused as input
    if (out.size() > 1) out += ',';
    put_block(out, block.object, is_json_object(block.partial_json) ? block.partial_json : "");
  }
  return out + "]";
}

void AnthropicStream::settle() {
  for (const Block& block : blocks_) {
    if (text_in(block.object, "type") == "tool_use") add_call(block);
  }
  if (!canonical_fields_hold_all() && raw_is_whole_) {
    std::string items = raw_items();
    if (items.size() > 2) builder_.answer().raw = {std::string(kAnthropicDialect), items};
  }
  for (const StopRow& row : kStops) {
    if (row.reason != stop_reason_) continue;
    builder_.answer().stop = row.stop;
    return;
  }
  builder_.spoil(fmt::format("unknown stop_reason '{}'", stop_reason_.substr(0, 64)));
}

CallFailure AnthropicStream::no_answer(const AnswerEnd& end) const {
  const bool complete = end.end == HttpResult::End::kComplete;
  if (complete && !recognised_) return malformed_answer("it is not a message");
  return ended_early(end.end, end.detail);
}

AnswerOrFailure AnthropicStream::finish(const AnswerEnd& end) {
  if (body_.is_object()) {
    if (end.end != HttpResult::End::kComplete) return {{}, no_answer(end)};
    if (const auto object = body_.object()) {
      read_message(*object);
    } else {
      builder_.spoil(object.error().message);
    }
  }
  if (error_) return {{}, builder_.broken_off(classify_anthropic_error(*error_, end))};
  if (!builder_.damage().empty()) return {{}, malformed_answer(builder_.damage())};
  if (stop_reason_.empty()) return {{}, no_answer(end)};
  settle();
  auto answer = builder_.take();
  if (!answer) return {{}, malformed_answer(builder_.damage())};
  return {std::move(answer), {}};
}

}  // namespace perdure
