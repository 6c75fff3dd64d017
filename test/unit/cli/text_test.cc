#include "cli/text.h"

#include <gtest/gtest.h>

#include "cli/moments.h"
#include "cli/table.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

TEST(Visible, ShowsWhatCouldDeceive) {
  struct {
    std::string text, shown;
  } const rows[] = {
      {"plain, \xC3\xA4\xE2\x82\xAC", "plain, \xC3\xA4\xE2\x82\xAC"},
      {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
      {"\x1b[31mred\x07\x7f", "\\x1b[31mred\\x07\\x7f"},
      {std::string("\0", 1), "\\x00"},
      {"\xC2\x9b"
       "31m",
       "\\x9b31m"},  // a control sequence in one character
      {"pay \xE2\x80\xAE"
       "001",
       "pay \\u202e001"},  // written from right to left
      {"a\xE2\x80\x8B"
       "b",
       "a\\u200bb"},
      {"\xFF\xC0\xAF\xED\xA0\x80", "\\xff\\xc0\\xaf\\xed\\xa0\\x80"},
      {"cut \xE2\x82", "cut \\xe2\\x82"},
      {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
  };
  for (const auto& row : rows) EXPECT_EQ(visible(row.text), row.shown);
  EXPECT_EQ(visible_lines("a\n\tb\x1b"), "a\n\tb\\x1b");
}

TEST(Columns, AreThoseOfATerminal) {
  EXPECT_EQ(columns_of("abc"), 3u);
  EXPECT_EQ(columns_of("\xE6\x97\xA5\xE6\x9C\xAC"), 4u);
  EXPECT_EQ(columns_of("e\xCC\x81"), 1u);
  EXPECT_EQ(clipped("abcdefgh", 6), "abc...");
  EXPECT_EQ(clipped("abcdef", 6), "abcdef");
  EXPECT_EQ(clipped("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 6),
            "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E");
  EXPECT_EQ(clipped("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 5), "\xE6\x97\xA5...");
  EXPECT_EQ(tail_of("task_abcdef", 4), "cdef");
}

TEST(Moments, AreSaid) {
  constexpr int64_t kThen = 1'795'509'953'921;  // 2026-11-24T08:45:53.921Z
  struct {
    int64_t ms;
    std::string text;
  } const rows[] = {{400, "0 s"},          {59'999, "59 s"},         {60'000, "1 min"},
                    {3'600'000, "1 h"},    {7'500'000, "2 h 5 min"}, {90'000'000, "1 day 1 h"},
                    {86'400'000, "1 day"}, {864'000'000, "10 days"}};
  for (const auto& row : rows) EXPECT_EQ(span_text(row.ms), row.text);
  const std::string then = "2026-11-24T08:45:53.921Z";
  EXPECT_EQ(relative_text(then, kThen + 500), "now");
  EXPECT_EQ(relative_text(then, kThen + 180'000), "3 min ago");
  EXPECT_EQ(relative_text(then, kThen - 60'000), "in 1 min");
  EXPECT_EQ(relative_text("soon", 0), "soon");
  EXPECT_EQ(elapsed_text(67'000), "1:07");
  EXPECT_EQ(elapsed_text(3'723'000), "1:02:03");
}

TEST(Numbers, AreGrouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(money_text(0.00018), "$0.0002");
  EXPECT_EQ(money_text(12.345), "$12.35");
}

TEST(LastLines, WrapAndKeepTheEnd) {
  const std::vector<std::string> lines = last_lines("one two three\nfour five", 8, 3);
  EXPECT_EQ(lines, (std::vector<std::string>{"three", "four ", "five"}));
  EXPECT_EQ(last_lines("a\x1b[2J", 20, 2), (std::vector<std::string>{"a\\x1b[2J"}));
  EXPECT_TRUE(last_lines("", 20, 2).empty());
}

TEST(Table, FitsTheTerminal) {
  Table table({{"TASK", false, false, true}, {"STATUS", false, true}, {"WAITS FOR", true}});
  table.add({"task_0123456789", "failed", "something \x1b long"});
  table.add({"task_9876543210", "completed", ""});
  EXPECT_EQ(table.text({}),
            "TASK             STATUS     WAITS FOR\n"
            "task_0123456789  failed     something \\x1b long\n"
            "task_9876543210  completed\n");
  EXPECT_EQ(table.text({true, false, 30}),
            "TASK      STATUS     WAITS FOR\n"
            "23456789  failed     someth...\n"
            "76543210  completed\n");
  EXPECT_NE(table.text({true, true, 80}).find("\x1b[31mfailed\x1b[0m     some"), std::string::npos);
}

}  // namespace
}  // namespace perdure::cli
