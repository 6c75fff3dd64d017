#include "model/retry_hint.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/http_date.h"

namespace perdure {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A decimal number at the front, which is removed. No sign, no exponent.
std::optional<double> take_number(std::string_view& text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

int64_t bounded_ms(double ms) {
  return static_cast<int64_t>(std::clamp(ms, 0.0, static_cast<double>(kRetryHintMaxMs)));
}

// A whole header as a number times `unit_ms`.
std::optional<int64_t> whole_number_ms(std::string_view text, double unit_ms) {
  const auto value = take_number(text);
  if (!value || !text.empty()) return std::nullopt;
  return bounded_ms(*value * unit_ms);
}

double take_unit_ms(std::string_view& text) {
  static constexpr std::array<std::pair<std::string_view, double>, 5> kUnits = {
      {{"ms", 1}, {"s", 1000}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}}};
  for (const auto& [name, ms] : kUnits) {
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    return ms;
  }
  return 0;
}

int64_t rate_limit_reset_ms(const HttpHeaders& headers) {
  int64_t longest = 0;
  for (const std::string_view what : {"requests", "tokens"}) {
    const std::string* reset = find_header(headers, "x-ratelimit-reset-" + std::string(what));
    if (reset == nullptr) continue;
    const std::string* remaining =
        find_header(headers, "x-ratelimit-remaining-" + std::string(what));
    if (remaining != nullptr && trimmed(*remaining) != "0") continue;
    longest = std::max(longest, parse_reset_ms(trimmed(*reset)).value_or(0));
  }
  return longest;
}

}  // namespace

const std::string* find_header(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::optional<int64_t> parse_reset_ms(std::string_view text) {
  if (const auto seconds = whole_number_ms(text, 1000)) return seconds;
  double total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const double unit_ms = take_unit_ms(text);
    if (!number || unit_ms == 0) return std::nullopt;
    total += *number * unit_ms;
  }
  return bounded_ms(total);
}

int64_t retry_after_ms(const HttpHeaders& headers, bool rate_limited, int64_t now_ms) {
  if (const std::string* ms = find_header(headers, "retry-after-ms")) {
    if (const auto value = whole_number_ms(trimmed(*ms), 1)) return *value;
  }
  if (const std::string* after = find_header(headers, "retry-after")) {
    if (const auto value = whole_number_ms(trimmed(*after), 1000)) return *value;
    if (const auto date_ms = parse_http_date_ms(trimmed(*after))) {
      const std::string* sent = find_header(headers, "date");
      const auto sent_ms = sent ? parse_http_date_ms(trimmed(*sent)) : std::nullopt;
      return std::clamp<int64_t>(*date_ms - sent_ms.value_or(now_ms), 0, kRetryHintMaxMs);
    }
  }
  if (!rate_limited) return 0;
  return rate_limit_reset_ms(headers);
}

std::optional<bool> should_retry(const HttpHeaders& headers) {
  const std::string* header = find_header(headers, "x-should-retry");
  if (header == nullptr) return std::nullopt;
  if (trimmed(*header) == "true") return true;
  if (trimmed(*header) == "false") return false;
  return std::nullopt;
}

}  // namespace perdure
