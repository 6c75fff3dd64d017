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

TEST(Tools, NamesOfNoneAreTold) {
  const json::object file = object(R"({
      "mcp":{"shop":{"read":["get_*","lsit"],"once":{"refnud":{}},"url":"x"},"odd":7},
      "policy":[{"tool":"*"},{"tool":"shop.refnud"},{"tool":"shop.r*"},{"tool":5},3,{}]})");
  EXPECT_EQ(names_of_no_tool(file, {object(R"({"name":"shop.get_order"})"),
                                    object(R"({"name":"shop.refund"})")}),
            (std::vector<std::string>{"mcp.shop.read  is about no tool: 'shop.lsit'",
                                      "mcp.shop.once  is about no tool: 'shop.refnud'",
                                      "policy[1]  is about no tool: 'shop.refnud'",
                                      "policy[3]  is about no tool: '5'"}));
  EXPECT_TRUE(names_of_no_tool({}, {}).empty());
  EXPECT_TRUE(names_of_no_tool(object(R"({"mcp":{"shop":{"read":["look"]}},)"
                                      R"("policy":[{"tool":"shop.*","then":"deny"}]})"),
                               {}, {"shop"})
                  .empty())
      << "what a server that was not reached has is not known";
}

TEST(Tools, GetLinesToPaste) {
  const std::vector<std::string> tools{"get_order", "getter", "listItems", "refund", "pay now"};
  const std::string head =
      "\n# Nothing is declared about 5 of the tools of shop: each call asks a person, and is "
      "never\n"
      "# sent twice. Look at each, correct what is guessed here, and put it into the operator's "
      "file,\n# into the table [mcp.shop]";
  const std::string sure = "  # changes nothing, by its name: make sure\n";
  const std::string reads = "\"get_order\", \"listItems\"";
  const std::string acts =
      "getter = {irreversible = true}, refund = {irreversible = true}, "
      "\"pay now\" = {irreversible = true}";
  const auto lines = [&](const char* table) {
    const json::object of_server = object(table);
    return contract_lines("shop", tools, &of_server);
  };
  EXPECT_EQ(lines("{}"), head + ":\nread = [" + reads + "]" + sure + "once = {" + acts + "}\n");
  // TOML has a table once, and a key in it once.
  EXPECT_EQ(lines(R"({"read":["a"]})"),
            head + ":\n# add to `read`: " + reads + sure + "once = {" + acts + "}\n");
  EXPECT_EQ(lines(R"({"read":{"a":{}},"once":{"b":{}}})"),
            head + ":\n# add to `read`: get_order = {}, listItems = {}" + sure +
                "# add to `once`: " + acts + "\n");
  EXPECT_EQ(contract_lines("shop", tools, nullptr),
            head + "; what stands there already is added to:\nread = [" + reads + "]" + sure +
                "once = {" + acts + "}\n");
  EXPECT_NE(contract_lines("my shop", {"get"}, nullptr).find("[mcp.\"my shop\"]"),
            std::string::npos);
}

}  // namespace
}  // namespace perdure::cli
