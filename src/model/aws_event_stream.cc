#include "model/aws_event_stream.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace perdure {
namespace {

constexpr size_t kPreludeBytes = 12;  // total length, length of the headers, checksum
constexpr size_t kChecksumBytes = 4;
constexpr size_t kHeadersMaxBytes = 128 * 1024;

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    table[i] = crc;
  }
  return table;
}();

// CRC-32 of ISO 3309, as in gzip.
uint32_t crc32(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) crc = crc >> 8 ^ kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xFF];
  return ~crc;
}

uint32_t big_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

Status corrupt(std::string_view what) {
  return fail(Code::kCorrupt, fmt::format("event stream: {}", what));
}

// The headers of a message, one after the other. Those that are no strings are skipped.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view bytes) : left_(bytes) {}

  bool at_end() const { return left_.empty(); }

  Status next(std::string_view& name, std::string_view& value) {
    if (!take_sized(1, name) || name.empty()) return corrupt("a header's name is cut");
    std::string_view type;
    if (!take(1, type)) return corrupt("a header's type is missing");
    value = {};
    const auto kind = static_cast<uint8_t>(type[0]);
    // Types 0 to 9: true, false, byte, short, int, long, bytes, string, time, UUID.
    constexpr std::array<size_t, 10> kSizes = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
    if (kind >= kSizes.size()) return corrupt("a header has an unknown type");
    const bool sized = kind == 6 || kind == 7;
    std::string_view taken;
    if (sized ? !take_sized(2, taken) : !take(kSizes[kind], taken)) {
      return corrupt("a header's value is cut");
    }
    if (kind == 7) value = taken;
    return {};
  }

 private:
  bool take(size_t size, std::string_view& out) {
    if (left_.size() < size) return false;
    out = left_.substr(0, size);
    left_.remove_prefix(size);
    return true;
  }
  bool take_sized(size_t length_bytes, std::string_view& out) {
    std::string_view length;
    return take(length_bytes, length) && take(big_endian(length), out);
  }

  std::string_view left_;
};

}  // namespace

AwsEventStream::AwsEventStream(OnEvent on_event, size_t message_bytes_max)
    : on_event_(std::move(on_event)), message_bytes_max_(message_bytes_max) {}

Status AwsEventStream::feed(std::string_view bytes) {
  while (!bytes.empty() && !error_) {
    const size_t wanted = total_bytes_ == 0 ? kPreludeBytes : total_bytes_;
    const size_t taken = std::min(wanted - message_.size(), bytes.size());
    message_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    if (message_.size() < wanted) break;
    if (auto read = total_bytes_ == 0 ? read_prelude() : read_message(); !read) {
      error_ = std::move(read).error();
    }
  }
  if (error_) return tl::unexpected(*error_);
  return {};
}

Status AwsEventStream::read_prelude() {
  const std::string_view prelude = message_;
  if (crc32(prelude.substr(0, 8)) != big_endian(prelude.substr(8, 4))) {
    return corrupt("the checksum of a message's lengths is wrong");
  }
  const size_t total = big_endian(prelude.substr(0, 4));
  header_bytes_ = big_endian(prelude.substr(4, 4));
  if (total > message_bytes_max_) {
    return fail(Code::kTooLarge,
                fmt::format("event stream: a message is longer than {} bytes", message_bytes_max_));
  }
  if (header_bytes_ > kHeadersMaxBytes || total < kPreludeBytes + header_bytes_ + kChecksumBytes) {
    return corrupt("the lengths of a message contradict each other");
  }
  total_bytes_ = total;
  return {};
}

Status AwsEventStream::read_message() {
  const std::string_view message = message_;
  const size_t body_end = message.size() - kChecksumBytes;
  if (crc32(message.substr(0, body_end)) != big_endian(message.substr(body_end))) {
    return corrupt("the checksum of a message is wrong");
  }
  AwsEvent event;
  HeaderReader headers(message.substr(kPreludeBytes, header_bytes_));
  while (!headers.at_end()) {
    std::string_view name, value;
    TRY_STATUS(headers.next(name, value));
    if (name == ":message-type") event.message_type = value;
    if (name == ":event-type" || name == ":exception-type" || name == ":error-code") {
      event.name = value;
    }
    if (name == ":error-message") event.error_message = value;
  }
  const size_t payload = kPreludeBytes + header_bytes_;
  event.payload = message.substr(payload, body_end - payload);
  message_.clear();
  total_bytes_ = 0;
  on_event_(event);
  return {};
}

}  // namespace perdure
