// Any bytes as what a client sends: the parser takes the same requests from them however they
// arrive, keeps its limits, and a request it took says the same when it is written and read again.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/asio/request_parser.h"
#include "base/assert.h"

namespace perdure::http {
namespace {

constexpr ParserLimits kLimits{
    .target_bytes = 64, .header_bytes = 512, .header_count = 6, .body_bytes = 64};

struct Outcome {
  std::vector<api::Request> requests;
  int refused = 0;
  size_t used = 0;
};

Outcome parse_all(std::string_view bytes, size_t piece) {
  Outcome outcome;
  RequestParser parser(kLimits);
  while (outcome.used < bytes.size() && !parser.failed()) {
    outcome.used += parser.feed(bytes.substr(outcome.used, piece));
    if (parser.complete()) outcome.requests.push_back(parser.take());
  }
  if (parser.failed()) outcome.refused = parser.problem().status;
  return outcome;
}

bool same(const api::Request& a, const api::Request& b) {
  return a.method == b.method && a.target == b.target && a.headers == b.headers && a.body == b.body;
}

void check_limits(const api::Request& request) {
  PERDURE_ASSERT(request.target.size() <= kLimits.target_bytes, "the target's limit holds");
  PERDURE_ASSERT(request.body.size() <= kLimits.body_bytes, "the body's limit holds");
  PERDURE_ASSERT(request.headers.size() <= kLimits.header_count + 1, "the headers' limit holds");
  for (const auto& [name, value] : request.headers) {
    const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
    PERDURE_ASSERT(std::none_of(name.begin(), name.end(), breaks) &&
                       std::none_of(value.begin(), value.end(), breaks),
                   "a header is one line");
  }
}

// With a length instead of chunks: one request, nothing left over, the same meaning.
void check_written_again(const api::Request& request) {
  std::string bytes = request.method + " " + request.target + " HTTP/1.1\r\n";
  bool has_host = false;
  for (const auto& [name, value] : request.headers) {
    has_host |= name == "host";
    if (name == "content-length" || name == "transfer-encoding") continue;
    bytes += name + ":" + value + "\r\n";
  }
  if (!has_host) bytes += "host: x\r\n";
  bytes += "content-length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
  RequestParser parser(ParserLimits{});
  const size_t used = parser.feed(bytes);
  PERDURE_ASSERT(parser.complete() && used == bytes.size(), "it is one request");
  const api::Request again = parser.take();
  PERDURE_ASSERT(again.method == request.method && again.target == request.target &&
                     again.body == request.body,
                 "it means the same");
}

}  // namespace
}  // namespace perdure::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace perdure::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = parse_all(bytes, bytes.size());
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{5}, size_t{16}}) {
    const Outcome split = parse_all(bytes, piece);
    PERDURE_ASSERT(split.refused == whole.refused, "the verdict does not depend on the split");
    PERDURE_ASSERT(std::equal(split.requests.begin(), split.requests.end(), whole.requests.begin(),
                              whole.requests.end(), same),
                   "the requests do not depend on the split");
  }
  for (const auto& request : whole.requests) {
    check_limits(request);
    check_written_again(request);
  }
  return 0;
}
