#include "model/retry_hint.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

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

std::optional<int64_t> take_digits(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  const auto value = parse_u64(text.substr(0, digits));
  text.remove_prefix(digits);
  if (!value) return std::nullopt;
  return static_cast<int64_t>(*value);
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<int64_t> take_month(std::string_view& text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const size_t at = kMonths.find(text.substr(0, 3));
  if (text.size() < 3 || at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  text.remove_prefix(3);
  return static_cast<int64_t>(at / 3 + 1);
}

// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March.
int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) --year;
  const int64_t era = year / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

struct Time {
  int64_t hour = 0, minute = 0, second = 0;
};

std::optional<Time> take_time(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return Time{*hour, *minute, *second};
}

std::optional<int64_t> unix_ms(std::optional<int64_t> year, std::optional<int64_t> month,
                               std::optional<int64_t> day, std::optional<Time> time) {
  if (!year || !month || !day || !time || *year < 1970 || *day < 1 || *day > 31) {
    return std::nullopt;
  }
  const int64_t seconds = time->hour * 3600 + time->minute * 60 + time->second;
  return (days_from_civil(*year, *month, *day) * 86'400 + seconds) * 1000;
}

// "06 Nov 1994 08:49:37 GMT" or "06-Nov-94 08:49:37 GMT".
std::optional<int64_t> parse_day_first(std::string_view text) {
  const auto day = take_digits(text, 2);
  const bool obsolete = text.starts_with('-');
  const std::string_view gap = obsolete ? "-" : " ";
  if (!take(text, gap)) return std::nullopt;
  const auto month = take_month(text);
  if (!take(text, gap)) return std::nullopt;
  auto year = take_digits(text, obsolete ? 2 : 4);
  if (year && obsolete) *year += *year < 70 ? 2000 : 1900;
  if (!take(text, " ")) return std::nullopt;
  const auto time = take_time(text);
  if (text != " GMT") return std::nullopt;
  return unix_ms(year, month, day, time);
}

// "Nov  6 08:49:37 1994".
std::optional<int64_t> parse_month_first(std::string_view text) {
  const auto month = take_month(text);
  if (!take(text, " ")) return std::nullopt;
  const auto day = take(text, " ") ? take_digits(text, 1) : take_digits(text, 2);
  if (!take(text, " ")) return std::nullopt;
  const auto time = take_time(text);
  if (!take(text, " ")) return std::nullopt;
  const auto year = take_digits(text, 4);
  if (!text.empty()) return std::nullopt;
  return unix_ms(year, month, day, time);
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

std::optional<int64_t> parse_http_date_ms(std::string_view text) {
  const size_t comma = text.find(", ");
  if (comma != std::string_view::npos) return parse_day_first(text.substr(comma + 2));
  if (text.size() < 4 || text[3] != ' ') return std::nullopt;
  return parse_month_first(text.substr(4));
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
