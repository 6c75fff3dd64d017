#include "agent/agent_file.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

const std::vector<ToolDeclaration> kOffered = {{"shop.list", "lists", "{}"},
                                               {"payments", "pays", R"({"type":"object"})"},
                                               {"shop.get", "gets", "{}"},
                                               {"other", "", "{}"}};

Result<AgentSpec> parse(std::string_view text) {
  const auto file = parse_json(text, "test");
  if (!file) return tl::unexpected(file.error());
  return agent_from_file(*file, kOffered);
}

TEST(AgentFile, NamesWhatTheOperatorConfigured) {
  const auto spec = parse(R"({"name":"refunds","model":["main","backup"],
    "tools":["payments","shop.*"],"instructions":"Be kind.",
    "limits":{"cost_usd":0.5,"turns":20},"approval":{"payments":"always"}})");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->name, "refunds");
  EXPECT_EQ(spec->models, (std::vector<std::string>{"main", "backup"}));
  ASSERT_EQ(spec->tools.size(), 3u);
  EXPECT_EQ(spec->tools[0].name, "payments");
  EXPECT_EQ(spec->tools[1].name, "shop.get");
  EXPECT_EQ(spec->find_tool("other"), nullptr);
  EXPECT_EQ(spec->find_tool("payments")->input_schema, R"({"type":"object"})");
  EXPECT_TRUE(spec->asks_always("payments"));
  EXPECT_FALSE(spec->asks_always("shop.get"));
  EXPECT_EQ(spec->limits.cost_micro_usd, 500'000);
  EXPECT_EQ(spec->limits.turns, 20);
  EXPECT_EQ(spec->limits.model_calls, kUnlimited);
  EXPECT_EQ(spec->max_output_tokens, 0);
}

TEST(AgentFile, ErrorsNameThePlaceAndTheNearest) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"nmae":"x","model":"main"})", "agent.nmae: unknown; did you mean 'name'?"},
      {R"({"model":"main"})", "agent.name: is missing"},
      {R"({"name":"x"})", "agent.model: name a model of the operator's file"},
      {R"({"name":"x","model":7})", "agent.model: expected a string or an array of strings"},
      {R"({"name":"x","model":"main","tools":["paymets"]})",
       "agent.tools: there is no tool 'paymets'; did you mean 'payments'?"},
      {R"({"name":"x","model":"main","limits":{"turn":2}})",
       "agent.limits.turn: unknown; did you mean 'turns'?"},
      {R"({"name":"x","model":"main","limits":{"cost_usd":-1}})",
       "agent.limits.cost_usd: -1 is outside 0 to 1000000000"},
      {R"({"name":"x","model":"main","tools":"payments","approval":{"payment":"always"}})",
       "agent.approval: among this agent's tools there is no tool 'payment'; did you mean "
       "'payments'?"},
      {R"({"name":"x","model":"main","tools":"payments","approval":{"payments":"never"}})",
       "agent.approval.payments: an agent file may only tighten; the one value is \"always\". "
       "Policy is in the operator's file"},
      {R"([])", "agent: expected an object, got an array"},
  };
  for (const auto& [text, message] : cases) {
    const auto spec = parse(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().message, message);
  }
}

TEST(AgentFile, PatternsMatchAsWhole) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"*", {"other", "payments", "shop.get", "shop.list"}},
      {"shop.*t", {"shop.get", "shop.list"}},
      {"*.l*", {"shop.list"}},
      {"p*y*s", {"payments"}},
      {"shop.get*", {"shop.get"}},
  };
  for (const auto& [pattern, names] : cases) {
    const auto spec = parse(R"({"name":"x","model":"main","tools":[")" + pattern + R"("]})");
    ASSERT_TRUE(spec) << pattern;
    std::vector<std::string> got;
    for (const auto& tool : spec->tools) got.push_back(tool.name);
    EXPECT_EQ(got, names) << pattern;
  }
  EXPECT_FALSE(parse(R"({"name":"x","model":"main","tools":["shop"]})"));
  EXPECT_FALSE(parse(R"({"name":"x","model":"main","tools":["*x"]})"));
}

TEST(AgentSpec, TheContentIsTheVersion) {
  const auto spec = parse(R"({"name":"x","model":"main","tools":["shop.*","payments"],
    "approval":{"shop.*":"always"},"limits":{"tool_calls":3}})");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->mark.size(), 16u);
  const auto again = agent_from_content(agent_content(*spec));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(agent_content(*again), agent_content(*spec));
  EXPECT_EQ(again->mark, spec->mark);

  const auto reordered = parse(R"({"limits":{"tool_calls":3},"approval":{"shop.*":"always"},
    "tools":["payments","shop.*"],"model":["main"],"name":"x"})");
  ASSERT_TRUE(reordered);
  EXPECT_EQ(reordered->mark, spec->mark);

  AgentSpec changed = *spec;
  changed.tools[0].description += "!";
  EXPECT_NE(agent_mark(changed), spec->mark);
}

// What a task pins is read as it was written, and what the loop calls it stays the same.
TEST(AgentSpec, ContentFromBeforeThereWereRenderingsIsItself) {
  const std::string content =
      R"({"always_ask":[],"instructions":"","limits":{"cost_micro_usd":-1,"model_calls":-1,)"
      R"("tool_calls":-1,"turns":-1},"max_inline":16384,"max_output_tokens":8192,)"
      R"("models":["main"],"name":"x","output_schema":"{}","tools":[]})";
  const auto spec = agent_from_content(content);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->rendering, 1);
  EXPECT_EQ(spec->max_output_tokens, 8192);
  EXPECT_FALSE(spec->tells_output_schema());
  EXPECT_EQ(agent_content(*spec), content);
}

TEST(AgentSpec, StoredContentIsReadStrictly) {
  EXPECT_FALSE(agent_from_content("{}"));
  EXPECT_FALSE(agent_from_content("not json"));
  const auto spec = parse(R"({"name":"x","model":"main"})");
  std::string content = agent_content(*spec);
  content.insert(1, R"("surprise":1,)");
  const auto read = agent_from_content(content);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "agent.surprise: unknown");
}

}  // namespace
}  // namespace perdure
