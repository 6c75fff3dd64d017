#pragma once
// The binary framing application/vnd.amazon.eventstream:
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
// Bytes in at any split, whole messages with right checksums out; no I/O.
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace perdure {

struct AwsEvent {
  std::string message_type;  // event, exception, error
  std::string name;          // :event-type, :exception-type or :error-code
  std::string error_message;
  std::string payload;
};

class AwsEventStream {
 public:
  using OnEvent = std::function<void(const AwsEvent&)>;

  explicit AwsEventStream(OnEvent on_event, size_t message_bytes_max = 8u << 20);

  // kCorrupt: a checksum or a length is wrong; kTooLarge: a message is larger than is accepted.
  // Every later call fails the same way.
  Status feed(std::string_view bytes);

 private:
  Status read_prelude();
  Status read_message();

  OnEvent on_event_;
  size_t message_bytes_max_;
  std::string message_;     // so far
  size_t total_bytes_ = 0;  // 0: the prelude has not come
  size_t header_bytes_ = 0;
  std::optional<Error> error_;
};

}  // namespace perdure
