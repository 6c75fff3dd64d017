#include "telemetry/span.h"

#include "base/json.h"
#include "base/text.h"

namespace perdure::telemetry {
namespace {

// Integers of 64 bits are strings in protobuf's JSON.
json::value value_of(const Attribute& attribute) {
  struct Write {
    json::value operator()(const std::string& text) const { return {{"stringValue", text}}; }
    json::value operator()(int64_t number) const { return {{"intValue", std::to_string(number)}}; }
    json::value operator()(double number) const { return {{"doubleValue", number}}; }
    json::value operator()(const std::vector<std::string>& texts) const {
      json::array values;
      for (const std::string& text : texts) values.push_back({{"stringValue", text}});
      return {{"arrayValue", {{"values", std::move(values)}}}};
    }
  };
  return std::visit(Write{}, attribute.value);
}

json::array attributes_of(std::span<const Attribute> attributes) {
  json::array out;
  for (const Attribute& attribute : attributes) {
    out.push_back({{"key", attribute.key}, {"value", value_of(attribute)}});
  }
  return out;
}

std::string nanoseconds(int64_t ms) {
  return std::to_string(ms) + "000000";
}

json::object object_of(const Span& span) {
  json::object out = {{"traceId", to_hex(span.trace_id)}, {"spanId", to_hex(span.span_id)}};
  if (!span.parent_id.empty()) out["parentSpanId"] = to_hex(span.parent_id);
  out["name"] = span.name;
  out["kind"] = static_cast<int>(span.kind);
  out["startTimeUnixNano"] = nanoseconds(span.start_ms);
  out["endTimeUnixNano"] = nanoseconds(span.end_ms);
  out["attributes"] = attributes_of(span.attributes);
  if (span.failed) out["status"] = {{"code", 2}};
  return out;
}

}  // namespace

std::string to_otlp_json(std::span<const Span> spans, std::string_view service_version) {
  json::array list;
  for (const Span& span : spans) list.push_back(object_of(span));
  const std::vector<Attribute> resource = {{"service.name", "perdure"},
                                           {"service.version", std::string(service_version)}};
  const json::object scope = {{"name", "perdure"}, {"version", service_version}};
  const json::object scope_spans = {{"scope", scope}, {"spans", std::move(list)}};
  const json::object resource_spans = {{"resource", {{"attributes", attributes_of(resource)}}},
                                       {"scopeSpans", json::array{scope_spans}}};
  return to_json(json::object{{"resourceSpans", json::array{resource_spans}}});
}

}  // namespace perdure::telemetry
