#include "cli/moments.h"

#include <fmt/core.h>

#include "base/rfc3339.h"

namespace perdure::cli {
namespace {

constexpr int64_t kSecond = 1'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

std::string two(int64_t large, const char* large_unit, int64_t small, const char* small_unit) {
  if (small == 0) return fmt::format("{} {}", large, large_unit);
  return fmt::format("{} {} {} {}", large, large_unit, small, small_unit);
}

}  // namespace

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
