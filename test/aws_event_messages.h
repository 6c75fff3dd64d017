#pragma once
// Makes messages of the AWS event stream for tests. The checksum is computed bit by bit, apart from
// the reader's table.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure::test {

inline std::string big_endian_bytes(uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

inline std::string crc_bytes(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
  }
  return big_endian_bytes(~crc, 4);
}

inline std::string aws_message_raw(std::string_view headers, std::string_view payload) {
  const auto total = static_cast<uint32_t>(16 + headers.size() + payload.size());
  std::string out = big_endian_bytes(total, 4);
  out += big_endian_bytes(static_cast<uint32_t>(headers.size()), 4);
  out += crc_bytes(out);
  out += headers;
  out += payload;
  return out + crc_bytes(out);
}

inline std::string aws_message(
    const std::vector<std::pair<std::string_view, std::string_view>>& headers,
    std::string_view payload) {
  std::string bytes;
  for (const auto& [name, value] : headers) {
    bytes += static_cast<char>(name.size());
    bytes += name;
    bytes += '\x07';
    bytes += big_endian_bytes(static_cast<uint32_t>(value.size()), 2);
    bytes += value;
  }
  return aws_message_raw(bytes, payload);
}

inline std::string aws_event(std::string_view type, std::string_view payload) {
  return aws_message(
      {{":event-type", type}, {":content-type", "application/json"}, {":message-type", "event"}},
      payload);
}

inline std::string aws_exception(std::string_view type, std::string_view payload) {
  return aws_message({{":exception-type", type},
                      {":content-type", "application/json"},
                      {":message-type", "exception"}},
                     payload);
}

}  // namespace perdure::test
