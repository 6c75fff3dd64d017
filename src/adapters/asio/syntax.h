#pragma once
// The character classes of RFC 9110 (section 5.6.2) and RFC 9112.
#include <array>
#include <string_view>

namespace perdure::http {

enum CharClass : unsigned char {
  kToken = 1,   // header names: tchar
  kValue = 2,   // header values: VCHAR, obs-text, space, tab
  kTarget = 4,  // printable ASCII without '#': a fragment is never sent
  kHost = 8,    // uri-host and port, without user information
};

constexpr std::array<unsigned char, 256> make_char_classes() {
  std::array<unsigned char, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    unsigned char bits = 0;
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const auto in = [c](std::string_view set) {
      return set.find(static_cast<char>(c)) != std::string_view::npos;
    };
    if (alnum || in("!#$%&'*+-.^_`|~")) bits |= kToken;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) bits |= kValue;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kTarget;
    if (alnum || in("-._~%!$&'()*+;=:[]")) bits |= kHost;
    classes[static_cast<size_t>(c)] = bits;
  }
  return classes;
}

inline constexpr std::array<unsigned char, 256> kCharClasses = make_char_classes();

inline bool all_in(std::string_view text, CharClass wanted) {
  for (const char c : text) {
    if ((kCharClasses[static_cast<unsigned char>(c)] & wanted) == 0) return false;
  }
  return true;
}

inline char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

inline bool equal_fold(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

inline std::string_view trim_ows(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace perdure::http
