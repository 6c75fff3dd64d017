#include "telemetry/span.h"

#include <gtest/gtest.h>

namespace perdure::telemetry {
namespace {

TEST(OtlpJson, HasTheFormOfTheProtocol) {
  Span root;
  root.trace_id =
      std::string("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\xFF", 16);
  root.span_id = std::string("\0\0\0\0\0\0\0\x01", 8);
  root.name = "a \"name\"";
  root.start_ms = 1'700'000'000'123;
  root.end_ms = 1'700'000'000'124;
  Span child = root;
  child.span_id.back() = '\x02';
  child.parent_id = root.span_id;
  child.kind = Span::Kind::kClient;
  child.failed = true;
  child.attributes = {{"text", "x"},
                      {"count", int64_t{9'007'199'254'740'993}},
                      {"cost", 0.5},
                      {"list", std::vector<std::string>{"a", "b"}}};
  EXPECT_EQ(
      to_otlp_json(std::vector{root, child}, "1.2.3"),
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"perdure"}},)"
      R"({"key":"service.version","value":{"stringValue":"1.2.3"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"perdure","version":"1.2.3"},"spans":[)"
      R"({"traceId":"0102030405060708090a0b0c0d0e0fff","spanId":"0000000000000001","name":"a \"name\"","kind":1,)"
      R"("startTimeUnixNano":"1700000000123000000","endTimeUnixNano":"1700000000124000000","attributes":[]},)"
      R"({"traceId":"0102030405060708090a0b0c0d0e0fff","spanId":"0000000000000002","parentSpanId":"0000000000000001",)"
      R"("name":"a \"name\"","kind":3,"startTimeUnixNano":"1700000000123000000","endTimeUnixNano":"1700000000124000000",)"
      R"("attributes":[{"key":"text","value":{"stringValue":"x"}},{"key":"count","value":{"intValue":"9007199254740993"}},)"
      R"({"key":"cost","value":{"doubleValue":5E-1}},)"
      R"({"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b"}]}}}],"status":{"code":2}}]}]}]})");
}

}  // namespace
}  // namespace perdure::telemetry
