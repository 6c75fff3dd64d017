#include "cli/text.h"

#include <fmt/core.h>

#include <array>
#include <cstdint>

namespace perdure::cli {
namespace {

struct Character {
  uint32_t point = 0;
  size_t bytes = 1;
  bool is_valid = false;
};

// The first character of `text`, which is not empty (RFC 3629, section 4).
Character first_of(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {lead, 1, false};
  uint32_t point = lead & (0xFFu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {lead, 1, false};
    point = point << 6 | (byte(i) & 0x3F);
  }
  static constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = point >= 0xD800 && point < 0xE000;
  if (point < kLeast[size] || point > 0x10FFFF || is_surrogate) return {lead, 1, false};
  return {point, size, true};
}

struct Range {
  uint32_t first, last;
};

template <size_t n>
bool is_in(const Range (&ranges)[n], uint32_t point) {
  for (const Range& range : ranges) {
    if (point >= range.first && point <= range.last) return true;
  }
  return false;
}

// Unicode's Bidi_Control, line and paragraph separators, and what is not seen at all.
constexpr Range kUnseen[] = {{0x061C, 0x061C},  {0x200B, 0x200F}, {0x2028, 0x202E},
                             {0x2060, 0x206F},  {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB},
                             {0xE0000, 0xE007F}};
// East Asian Wide and Fullwidth of Unicode's UAX 11, as blocks, and emoji.
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},  {0xA960, 0xA97C}, {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};
constexpr Range kCombining[] = {
    {0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

std::string escaped(const Character& character) {
  switch (character.point) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      return character.point < 0x100 ? fmt::format("\\x{:02x}", character.point)
                                     : fmt::format("\\u{:04x}", character.point);
  }
}

bool is_plain(const Character& character) {
  const uint32_t point = character.point;
  return character.is_valid && point >= 0x20 && (point < 0x7F || point >= 0xA0) &&
         !is_in(kUnseen, point);
}

std::string made_visible(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_of(text);
    const bool keep = is_plain(character) || kept.find(text.front()) != std::string_view::npos;
    out += keep ? std::string(text.substr(0, character.bytes)) : escaped(character);
    text.remove_prefix(character.bytes);
  }
  return out;
}

size_t width_of(const Character& character) {
  if (is_in(kCombining, character.point)) return 0;
  return is_in(kWide, character.point) ? 2 : 1;
}

}  // namespace

std::string visible(std::string_view text) {
  return made_visible(text, {});
}

std::string visible_lines(std::string_view text) {
  return made_visible(text, "\n\t");
}

size_t columns_of(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const Character character = first_of(text);
    columns += width_of(character);
    text.remove_prefix(character.bytes);
  }
  return columns;
}

std::string clipped(std::string_view text, size_t columns) {
  if (text.size() <= columns || columns_of(text) <= columns) return std::string(text);
  const std::string_view mark = columns > 3 ? "..." : "";
  size_t used = mark.size();
  size_t end = 0;
  for (;;) {
    const Character character = first_of(text.substr(end));
    if (used + width_of(character) > columns) break;
    used += width_of(character);
    end += character.bytes;
  }
  return std::string(text.substr(0, end)) + std::string(mark);
}

std::string tail_of(std::string_view text, size_t columns) {
  size_t total = columns_of(text);
  while (total > columns) {
    const Character character = first_of(text);
    total -= width_of(character);
    text.remove_prefix(character.bytes);
  }
  return std::string(text);
}

}  // namespace perdure::cli
