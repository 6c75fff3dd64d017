#include "base/rfc3339.h"

#include <chrono>

#include "base/text.h"

namespace perdure {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  int64_t digits(size_t count) {
    const auto value = left_.size() < count ? std::nullopt : parse_u64(left_.substr(0, count));
    if (!value) {
      ok_ = false;
      return 0;
    }
    left_.remove_prefix(count);
    return static_cast<int64_t>(*value);
  }
  char one_of(std::string_view chars) {
    if (left_.empty() || chars.find(left_.front()) == std::string_view::npos) {
      ok_ = false;
      return 0;
    }
    const char c = left_.front();
    left_.remove_prefix(1);
    return c;
  }
  // ".123456", to the millisecond below.
  int64_t fraction_ms() {
    if (!left_.starts_with('.')) return 0;
    left_.remove_prefix(1);
    int64_t ms = 0, scale = 100;
    if (left_.empty() || !is_digit(left_.front())) ok_ = false;
    for (; !left_.empty() && is_digit(left_.front()); left_.remove_prefix(1), scale /= 10) {
      ms += (left_.front() - '0') * scale;
    }
    return ms;
  }
  bool done() const { return ok_ && left_.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  std::string_view left_;
  bool ok_ = true;
};

}  // namespace

std::optional<int64_t> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  Reader in(text);
  const int64_t year_number = in.digits(4);
  in.one_of("-");
  const int64_t month_number = in.digits(2);
  in.one_of("-");
  const int64_t day_number = in.digits(2);
  in.one_of("Tt ");
  const int64_t hour = in.digits(2);
  in.one_of(":");
  const int64_t minute = in.digits(2);
  in.one_of(":");
  const int64_t second = in.digits(2);
  const int64_t fraction_ms = in.fraction_ms();
  int64_t offset_minutes = 0;
  if (const char zone = in.one_of("Zz+-"); zone == '+' || zone == '-') {
    const int64_t hours = in.digits(2);
    in.one_of(":");
    const int64_t minutes = in.digits(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset_minutes = hours * 60 + minutes;
    if (zone == '-') offset_minutes = -offset_minutes;
  }
  const year_month_day date{year(static_cast<int>(year_number)),
                            month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number))};
  if (!in.done() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const int64_t day_ms = duration_cast<milliseconds>(sys_days(date).time_since_epoch()).count();
  return day_ms + ((hour * 60 + minute - offset_minutes) * 60 + second) * 1000 + fraction_ms;
}

}  // namespace perdure
