#include "base/rfc3339.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace perdure {
namespace {

TEST(Rfc3339, ReadsWhatIsWritten) {
  for (const int64_t ms : {0LL, 1'764'000'000'123LL, 253'402'300'799'999LL}) {
    EXPECT_EQ(parse_rfc3339(to_rfc3339(ms)), ms);
  }
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:07Z"), 7000);
  EXPECT_EQ(parse_rfc3339("1970-01-01T01:00:00.25+00:30"), 1'800'250);
  EXPECT_EQ(parse_rfc3339("1970-01-01t00:00:00-01:00"), 3'600'000);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.123456789Z"), 123);
  EXPECT_EQ(parse_rfc3339("2024-02-29 00:00:00-00:01"), 1'709'164'860'000);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59Z"), -1'000);
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), 1'483'228'800'000);
}

TEST(Rfc3339, RefusesTheRest) {
  for (const char* text :
       {"", "1970", "1970-01-01", "1970-01-01T00:00:00", "1970-13-01T00:00:00Z",
        "1970-02-30T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00Zx", "2023-02-29T00:00:00Z", "2026-11-24T09:00:00+0100",
        "2026-11-24T09:00:00+24:00", "+970-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace perdure
