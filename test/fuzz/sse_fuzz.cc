// Any bytes, at any split, give the same events; nothing passes the limits.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/assert.h"
#include "base/sse.h"

namespace perdure {
namespace {

constexpr SseLimits kLimits{.line_bytes = 256, .event_bytes = 512};

struct Outcome {
  std::vector<std::string> events;
  bool failed = false;
  std::optional<int64_t> retry_ms;
  bool operator==(const Outcome&) const = default;
};

// Pieces of `step` bytes; 0: all at once.
Outcome read(std::string_view bytes, size_t step) {
  Outcome out;
  SseParser parser(
      [&](const SseEvent& event) {
        PERDURE_ASSERT(event.data.size() <= kLimits.event_bytes, "events are bounded");
        PERDURE_ASSERT(!event.type.empty(), "every event has a type");
        out.events.push_back(event.type + "\n" + event.last_id + "\n" + event.data);
      },
      kLimits);
  if (step == 0) step = bytes.size() + 1;
  for (size_t at = 0; at < bytes.size(); at += step) {
    out.failed = !parser.feed(bytes.substr(at, step));
  }
  out.retry_ms = parser.retry_ms();
  return out;
}

}  // namespace
}  // namespace perdure

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using perdure::read;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = read(bytes, 0);
  PERDURE_ASSERT(read(bytes, 1) == whole, "byte by byte gives the same");
  PERDURE_ASSERT(read(bytes, 7) == whole, "pieces give the same");
  return 0;
}
