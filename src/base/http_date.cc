#include "base/http_date.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"

namespace perdure {
namespace {

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
  if (!year || !month || !day || !time || *year < 1970) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(static_cast<int>(*year)),
                            std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const int64_t second = time->hour * 3600 + time->minute * 60 + time->second;
  return duration_cast<milliseconds>(sys_days(date).time_since_epoch() + seconds(second)).count();
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

}  // namespace

std::optional<int64_t> parse_http_date_ms(std::string_view text) {
  const size_t comma = text.find(", ");
  if (comma != std::string_view::npos) return parse_day_first(text.substr(comma + 2));
  if (text.size() < 4 || text[3] != ' ') return std::nullopt;
  return parse_month_first(text.substr(4));
}

}  // namespace perdure
