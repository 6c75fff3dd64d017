// Any bytes, at any split, give the same messages; nothing passes the limit. Random bytes have no
// right checksum, so they are read a second time as the headers and the payload of a message.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aws_event_messages.h"
#include "base/assert.h"
#include "model/aws_event_stream.h"

namespace perdure {
namespace {

constexpr size_t kMessageMaxBytes = 2048;

struct Outcome {
  std::vector<std::string> events;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view bytes, size_t step) {
  Outcome out;
  AwsEventStream stream(
      [&](const AwsEvent& event) {
        PERDURE_ASSERT(event.payload.size() < kMessageMaxBytes, "messages are bounded");
        out.events.push_back(event.message_type + "\n" + event.name + "\n" + event.error_message +
                             "\n" + event.payload);
      },
      kMessageMaxBytes);
  for (size_t at = 0; at < bytes.size(); at += step) {
    const Status fed = stream.feed(bytes.substr(at, step));
    PERDURE_ASSERT(out.error.empty() || !fed, "an error stays");
    if (!fed) out.error = fed.error().message;
  }
  return out;
}

void check(std::string_view bytes) {
  const Outcome whole = read(bytes, bytes.size() + 1);
  PERDURE_ASSERT(read(bytes, 1) == whole, "byte by byte gives the same");
  PERDURE_ASSERT(read(bytes, 7) == whole, "pieces give the same");
}

}  // namespace
}  // namespace perdure

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  perdure::check(bytes);
  if (size == 0) return 0;
  const size_t header_bytes = std::min<size_t>(data[0], size - 1);
  const std::string message =
      perdure::test::aws_message_raw(bytes.substr(1, header_bytes), bytes.substr(1 + header_bytes));
  perdure::check(message + message);
  return 0;
}
