#include "cli/tools.h"

#include <gtest/gtest.h>

namespace perdure::cli {
namespace {

json::object object(const std::string& text) {
  return parse_json(text, "test")->as_object();
}

TEST(Tools, AreUndeclaredWhileNothingIsSaidOfThem) {
  struct {
    const char* tool;
    bool is_undeclared;
  } const rows[] = {
      {R"({"declared":false,"contract":{"effect":"once"},"approval":"always"})", true},
      {R"({"declared":true,"contract":{"effect":"once"},"approval":"always"})", false},
      {"{}", false},
  };
  for (const auto& row : rows)
    EXPECT_EQ(is_undeclared(object(row.tool)), row.is_undeclared) << row.tool;
}

TEST(Tools, GetLinesToPaste) {
  EXPECT_EQ(contract_lines("shop", {"get_order", "getter", "listItems", "refund", "pay now"}),
            "\n# Nothing is declared about 5 of the tools of shop: each call asks a person, and is "
            "never\n"
            "# sent twice. Look at each, correct what is guessed here, and put it into the "
            "operator's file.\n"
            "[mcp.shop]\n"
            "read = [\"get_order\", \"listItems\"]  # changes nothing, by its name: make sure\n"
            "once = {getter = {irreversible = true}, refund = {irreversible = true}, "
            "\"pay now\" = {irreversible = true}}\n");
  EXPECT_NE(contract_lines("my shop", {"get"}).find("[mcp.\"my shop\"]\nread = [\"get\"]"),
            std::string::npos);
}

}  // namespace
}  // namespace perdure::cli
