#include "cli/diff.h"

#include <gtest/gtest.h>

namespace perdure::cli {
namespace {

TEST(Diff, ShowsWhatChanged) {
  struct {
    std::string before, after, shown;
  } const rows[] = {
      {"a\nb\n", "a\nb\n", ""},
      {"", "a\n", "+ a\n"},
      {"a\n", "", "- a\n"},
      {"{\n  \"order\": 1\n}\n", "{\n  \"order\": 2\n}\n",
       "  {\n-   \"order\": 1\n+   \"order\": 2\n  }\n"},
      {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\nx\n9\n",
       "  ...\n  5\n  6\n  7\n- 8\n+ x\n  9\n"},
      {"a\nb\nc\n", "b\nc\nd\n", "- a\n  b\n  c\n+ d\n"},
      {"a\n", "\x1b[2J\n", "- a\n+ \\x1b[2J\n"},
  };
  for (const auto& row : rows) EXPECT_EQ(diff_text(row.before, row.after, {}), row.shown);
  EXPECT_EQ(diff_text("a\n", "b\n", {true, true, 80}), "\x1b[31m- a\x1b[0m\n\x1b[32m+ b\x1b[0m\n");
}

TEST(Diff, OfMuchIsAllOfIt) {
  std::string before;
  std::string after;
  for (int i = 0; i < 3000; ++i) before += "b" + std::to_string(i) + "\n";
  for (int i = 0; i < 3000; ++i) after += "a" + std::to_string(i) + "\n";
  const std::string shown = diff_text(before, after, {});
  EXPECT_TRUE(shown.starts_with("- b0\n- b1\n"));
  EXPECT_TRUE(shown.ends_with("+ a2998\n+ a2999\n"));
}

}  // namespace
}  // namespace perdure::cli
