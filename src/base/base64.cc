#include "base/base64.h"

#include <cstdint>

namespace perdure {

std::string to_base64(std::string_view bytes, Base64 alphabet) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const auto letter = [&](uint32_t six_bits) -> char {
    if (six_bits < kLetters.size()) return kLetters[six_bits];
    if (six_bits == 62) return alphabet == Base64::kUrl ? '-' : '+';
    return alphabet == Base64::kUrl ? '_' : '/';
  };
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += k <= count ? letter(group >> (18 - 6 * k) & 63) : '=';
    }
  }
  return text;
}

}  // namespace perdure
