#include "cli/moments.h"

#include <fmt/core.h>

#include "base/text.h"

namespace perdure::cli {
namespace {

constexpr int64_t kSecond = 1'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

// Days since 1970-01-01 of the Gregorian calendar; March is the first month of the count, so that
// the day that a leap year has more is its last.
int64_t days_of(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) --year;
  const int64_t shifted = (month + 9) % 12;
  const int64_t day_of_year = (153 * shifted + 2) / 5 + day - 1;
  return 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719'468;
}

std::optional<int64_t> number_at(std::string_view text, size_t at, size_t size) {
  if (text.size() < at + size) return std::nullopt;
  const auto value = parse_u64(text.substr(at, size));
  return value ? std::optional(static_cast<int64_t>(*value)) : std::nullopt;
}

std::string two(int64_t large, const char* large_unit, int64_t small, const char* small_unit) {
  if (small == 0) return fmt::format("{} {}", large, large_unit);
  return fmt::format("{} {} {} {}", large, large_unit, small, small_unit);
}

}  // namespace

std::optional<int64_t> parse_rfc3339(std::string_view text) {
  const auto year = number_at(text, 0, 4);
  const auto month = number_at(text, 5, 2);
  const auto day = number_at(text, 8, 2);
  const auto hour = number_at(text, 11, 2);
  const auto minute = number_at(text, 14, 2);
  const auto second = number_at(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second || !text.ends_with('Z')) {
    return std::nullopt;
  }
  if (*month < 1 || *month > 12 || *day < 1 || *day > 31) return std::nullopt;
  const int64_t ms = number_at(text, 20, 3).value_or(0);
  return days_of(*year, *month, *day) * kDay + *hour * kHour + *minute * kMinute +
         *second * kSecond + ms;
}

std::string span_text(int64_t ms) {
  if (ms < 0) ms = 0;
  if (ms < kMinute) return fmt::format("{} s", ms / kSecond);
  if (ms < kHour) return fmt::format("{} min", ms / kMinute);
  if (ms < kDay) return two(ms / kHour, "h", ms % kHour / kMinute, "min");
  if (ms < 2 * kDay) return two(1, "day", ms % kDay / kHour, "h");
  return fmt::format("{} days", ms / kDay);
}

std::string relative_text(std::string_view rfc3339, int64_t now_ms) {
  const auto at = parse_rfc3339(rfc3339);
  if (!at) return std::string(rfc3339);
  if (*at > now_ms) return "in " + span_text(*at - now_ms);
  if (now_ms - *at < kSecond) return "now";
  return span_text(now_ms - *at) + " ago";
}

std::string elapsed_text(int64_t ms) {
  if (ms < 0) ms = 0;
  const int64_t seconds = ms / kSecond;
  if (ms < kHour) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace perdure::cli
