#pragma once
// Spans as OpenTelemetry names them, and their form as OTLP/JSON:
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace perdure::telemetry {

struct Attribute {
  std::string key;
  std::variant<std::string, int64_t, double, std::vector<std::string>> value;
};

struct Span {
  enum class Kind : uint8_t { kInternal = 1, kServer = 2, kClient = 3 };  // numbers of the protocol

  std::string trace_id;   // 16 bytes
  std::string span_id;    // 8 bytes
  std::string parent_id;  // 8 bytes; empty: the root
  std::string name;
  Kind kind = Kind::kInternal;
  int64_t start_ms = 0;  // unix time
  int64_t end_ms = 0;
  std::vector<Attribute> attributes;
  bool failed = false;
};

// The body of one export request.
std::string to_otlp_json(std::span<const Span> spans, std::string_view service_version);

}  // namespace perdure::telemetry
