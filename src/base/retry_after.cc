#include "base/retry_after.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"

namespace perdure {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// "Sun, 06 Nov 1994 08:49:37 GMT": fixed width. The day's name is not checked: it adds nothing.
std::optional<int64_t> parse_http_date_ms(std::string_view text) {
  constexpr std::string_view kShape = "aaa, 00 aaa 0000 00:00:00 GMT";
  if (text.size() != kShape.size()) return std::nullopt;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == '0' ? !digit : kShape[i] != 'a' && kShape[i] != text[i]) return std::nullopt;
  }
  const auto number = [&](size_t at, size_t size) {
    return static_cast<int>(*parse_u64(text.substr(at, size)));
  };
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{year(number(12, 4)),
                            std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                            day(static_cast<unsigned>(number(5, 2)))};
  const int clock_s = number(17, 2) * 3600 + number(20, 2) * 60 + number(23, 2);
  if (!date.ok() || number(17, 2) > 23 || number(20, 2) > 59 || number(23, 2) > 60) {
    return std::nullopt;
  }
  const auto midnight = sys_days(date).time_since_epoch();
  return duration_cast<milliseconds>(midnight + seconds(clock_s)).count();
}

}  // namespace

std::optional<int64_t> parse_retry_after_ms(std::string_view value, int64_t now_unix_ms) {
  if (const auto seconds = parse_u64(value)) {
    return static_cast<int64_t>(std::min<uint64_t>(*seconds, kRetryAfterMaxMs / 1000)) * 1000;
  }
  const auto date_ms = parse_http_date_ms(value);
  if (!date_ms) return std::nullopt;
  return std::clamp<int64_t>(*date_ms - now_unix_ms, 0, kRetryAfterMaxMs);
}

}  // namespace perdure
