#include "base/retry_after.h"

#include <gtest/gtest.h>

#include "base/http_date.h"

namespace perdure {
namespace {

constexpr int64_t kNow = 784111777000;  // Sun, 06 Nov 1994 08:49:37 GMT

TEST(RetryAfter, SecondsAndDates) {
  EXPECT_EQ(parse_retry_after_ms("0", kNow), 0);
  EXPECT_EQ(parse_retry_after_ms("120", kNow), 120'000);
  EXPECT_EQ(parse_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", kNow), 0);
  EXPECT_EQ(parse_retry_after_ms("Sun, 06 Nov 1994 08:50:37 GMT", kNow), 60'000);
  EXPECT_EQ(parse_retry_after_ms("Sunday, 06-Nov-94 08:50:37 GMT", kNow), 60'000);
  EXPECT_EQ(parse_retry_after_ms("Sat, 05 Nov 1994 08:50:37 GMT", kNow), 0);
  EXPECT_EQ(parse_retry_after_ms("Tue, 08 Nov 1994 00:00:00 GMT", kNow), 141'023'000);
}

TEST(RetryAfter, IsBounded) {
  EXPECT_EQ(parse_retry_after_ms("18446744073709551615", kNow), kRetryAfterMaxMs);
  EXPECT_EQ(parse_retry_after_ms("Fri, 31 Dec 9999 23:59:59 GMT", kNow), kRetryAfterMaxMs);
}

TEST(RetryAfter, RefusesWhatIsNeither) {
  for (const char* text :
       {"", "-1", "1.5", "soon", "99999999999999999999", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nob 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_FALSE(parse_retry_after_ms(text, kNow)) << text;
  }
}

TEST(HttpDate, HasThreeForms) {
  constexpr int64_t kExpected = 784'111'777'000;
  EXPECT_EQ(parse_http_date_ms("Sun, 06 Nov 1994 08:49:37 GMT"), kExpected);
  EXPECT_EQ(parse_http_date_ms("Sunday, 06-Nov-94 08:49:37 GMT"), kExpected);
  EXPECT_EQ(parse_http_date_ms("Sun Nov  6 08:49:37 1994"), kExpected);
  EXPECT_EQ(parse_http_date_ms("Thu, 29 Feb 2024 00:00:00 GMT"), 1'709'164'800'000);
  for (const char* bad : {"", "Sun", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
                          "Sun, 06 ovD 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994 GMT"}) {
    EXPECT_EQ(parse_http_date_ms(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace perdure
