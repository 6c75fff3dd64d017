#include "api/plain_json.h"

#include "base/text.h"

namespace perdure::api {
namespace {

constexpr JsonLimits kStoredLimits{.depth = 160, .size_bytes = 64u << 20};

json::value limit_json(int64_t limit) {
  return limit == kUnlimited ? json::value() : json::value(limit);
}

}  // namespace

double to_usd(MicroUsd amount) {
  return static_cast<double>(amount) / 1e6;
}

json::object usage_json(const Usage& usage, uint32_t unpriced_calls) {
  json::object out{{"cost_usd", to_usd(usage.cost_micro_usd)},
                   {"model_calls", usage.model_calls},
                   {"tool_calls", usage.tool_calls},
                   {"input_tokens", usage.input_tokens},
                   {"output_tokens", usage.output_tokens}};
  if (unpriced_calls > 0) out["unpriced_calls"] = unpriced_calls;
  return out;
}

json::object limits_json(const Limits& limits) {
  json::value cost;
  if (limits.cost_micro_usd != kUnlimited) cost = to_usd(limits.cost_micro_usd);
  return {{"cost_usd", cost},
          {"model_calls", limit_json(limits.model_calls)},
          {"tool_calls", limit_json(limits.tool_calls)},
          {"turns", limit_json(limits.turns)}};
}

void put_payload(json::object& out, std::string_view name, const Payload& payload) {
  if (!payload.exists()) return;
  if (!payload.bytes) {
    json::object omitted{{"sha256", to_hex(payload.hash.view())},
                         {"size_bytes", payload.size_bytes}};
    if (payload.place == Payload::Place::kErased) omitted["erased"] = true;
    out[std::string(name) + "_omitted"] = std::move(omitted);
  } else if (auto value = parse_json(payload.view(), "payload", kStoredLimits)) {
    out[name] = std::move(*value);
  } else if (is_valid_utf8(payload.view())) {
    out[name] = payload.view();
  } else {
    out[name] = json::object{{"hex", to_hex(payload.view())}};
  }
}

}  // namespace perdure::api
