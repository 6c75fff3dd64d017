#pragma once
// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104).
#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace perdure {

struct Sha256 {
  std::array<uint8_t, 32> bytes{};

  auto operator<=>(const Sha256&) const = default;
  bool is_zero() const { return *this == Sha256{}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), 32}; }
};

// 64 hexadecimal digits, or nothing.
std::optional<Sha256> parse_sha256(std::string_view hex);

Sha256 sha256(std::string_view data);
Sha256 hmac_sha256(std::string_view key, std::string_view data);

// The hash of a sequence of pieces, without joining them first. Not thread-safe.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& add(std::string_view piece);
  Sha256 finish();  // and ready for the next sequence

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// Takes the same time wherever the first difference stands.
bool equal_secret(std::string_view a, std::string_view b);

}  // namespace perdure
