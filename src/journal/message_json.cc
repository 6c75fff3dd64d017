#include "journal/message_json.h"

#include "base/json.h"

namespace perdure {
namespace {

constexpr std::initializer_list<std::string_view> kStops = {
    "end_turn", "tool_calls",       "truncated",      "refusal",
    "paused",   "context_overflow", "malformed_call", "too_many_calls"};

// Counts that are 0 unless the provider named them.
struct TokenPart {
  std::string_view name;
  int64_t ModelAnswer::* count;
};
constexpr TokenPart kTokenParts[] = {
    {"cached_input_tokens", &ModelAnswer::cached_input_tokens},
    {"cache_write_tokens", &ModelAnswer::cache_write_tokens},
    {"reasoning_tokens", &ModelAnswer::reasoning_tokens},
};

RawItems read_raw(const json::value& value, Status& status) {
  ObjectReader in(value, "model answer.raw");
  RawItems raw;
  raw.dialect = in.string("dialect");
  raw.items = in.string("items");
  status = in.finish();
  return raw;
}

}  // namespace

std::string answer_to_json(const ModelAnswer& answer) {
  json::object out;
  if (!answer.text.empty()) out["text"] = answer.text;
  if (!answer.refusal.empty()) out["refusal"] = answer.refusal;
  if (!answer.calls.empty()) {
    json::array calls;
    for (const ToolCall& call : answer.calls) {
      calls.push_back({{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}});
    }
    out["calls"] = std::move(calls);
  }
  out["stop_reason"] = kStops.begin()[static_cast<size_t>(answer.stop)];
  if (!answer.stop_detail.empty()) out["stop_detail"] = answer.stop_detail;
  if (!answer.model.empty()) out["model"] = answer.model;
  if (!answer.response_id.empty()) out["response_id"] = answer.response_id;
  if (answer.input_tokens >= 0) out["input_tokens"] = answer.input_tokens;
  if (answer.output_tokens >= 0) out["output_tokens"] = answer.output_tokens;
  for (const TokenPart& part : kTokenParts) {
    if (answer.*part.count > 0) out[part.name] = answer.*part.count;
  }
  if (!answer.raw.dialect.empty()) {
    out["raw"] = {{"dialect", answer.raw.dialect}, {"items", answer.raw.items}};
  }
  return to_json(out);
}

Result<ModelAnswer> answer_from_json(std::string_view text) {
  TRY_ASSIGN(const json::value root, parse_json(text, "model answer", {.size_bytes = 64u << 20}));
  ObjectReader in(root, "model answer");
  ModelAnswer answer;
  answer.text = in.string("text", "");
  answer.refusal = in.string("refusal", "");
  answer.stop = static_cast<ModelAnswer::Stop>(in.choice("stop_reason", kStops, 0));
  answer.stop_detail = in.string("stop_detail", "");
  answer.model = in.string("model", "");
  answer.response_id = in.string("response_id", "");
  answer.input_tokens = in.integer("input_tokens", 0, INT64_MAX, -1);
  answer.output_tokens = in.integer("output_tokens", 0, INT64_MAX, -1);
  for (const TokenPart& part : kTokenParts) {
    answer.*part.count = in.integer(part.name, 0, INT64_MAX, 0);
  }
  Status raw_status;
  if (const json::value* raw = in.value("raw")) answer.raw = read_raw(*raw, raw_status);
  TRY_STATUS(raw_status);
  if (const json::array* calls = in.array("calls")) {
    for (const json::value& item : *calls) {
      ObjectReader call(item, "model answer.calls");
      answer.calls.push_back({call.string("id"), call.string("name"), call.string("arguments")});
      TRY_STATUS(call.finish());
    }
  }
  TRY_STATUS(in.finish());
  return answer;
}

}  // namespace perdure
