// What the API's description says of an agent file is what is taken. That both know the same
// members is held by test/docs/facts.py.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "agent/agent_file.h"
#include "schema/schema.h"

namespace perdure {
namespace {

json::value agent_file_schema() {
  std::ifstream in(std::string(PERDURE_SOURCE_DIR) + "/api/openapi.json");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const auto document = parse_json(text, "openapi");
  return document->at("components").at("schemas").at("AgentFile");
}

std::string with(const std::string& member) {
  return R"({"name":"x","model":"main",)" + member + "}";
}

TEST(AgentSchema, TakesWhatIsTakenAndRefusesWhatIsRefused) {
  const auto schema = JsonSchema::compile(agent_file_schema());
  ASSERT_TRUE(schema) << schema.error().message;
  const std::vector<ToolDeclaration> offered = {{"pay", "pays", "{}"}};
  const std::pair<std::string, bool> cases[] = {
      {R"({"name":"x","model":"main"})", true},
      {R"({"name":"x","model":["main","backup"]})", true},
      {R"({"name":"x","model":[]})", false},
      {R"({"name":"x","model":[1]})", false},
      {R"({"name":"x"})", false},
      {R"({"name":"","model":"main"})", false},
      {R"({"name":")" + std::string(128, 'n') + R"(","model":"main"})", true},
      {R"({"name":")" + std::string(129, 'n') + R"(","model":"main"})", false},
      {with(R"("tools":"pay")"), true},
      {with(R"("tools":["p*","ask_person"])"), true},
      {with(R"("tools":[])"), true},
      {with(R"("tools":{"pay":{}})"), false},
      {with(R"("tool":"pay")"), false},
      {with(R"("instructions":"Be kind.")"), true},
      {with(R"("instructions":["Be kind."])"), false},
      {with(R"("max_output_tokens":1)"), true},
      {with(R"("max_output_tokens":10000000)"), true},
      {with(R"("max_output_tokens":0)"), false},
      {with(R"("max_output_tokens":10000001)"), false},
      {with(R"("max_inline":256)"), true},
      {with(R"("max_inline":255)"), false},
      {with(R"("output_schema":{"type":"string"})"), true},
      {with(R"("output_schema":true)"), false},
      {with(R"("failover":{"refusal":true})"), true},
      {with(R"("failover":{"refusal":1})"), false},
      {with(R"("failover":{"refuse":true})"), false},
      {with(R"("limits":{"cost_usd":0.5,"model_calls":0,"tool_calls":0,"turns":1})"), true},
      {with(R"("limits":{"cost_usd":-1})"), false},
      {with(R"("limits":{"cost_usd":1000000001})"), false},
      {with(R"("limits":{"model_calls":1000000001})"), false},
      {with(R"("limits":{"tool_calls":0.5})"), false},
      {with(R"("limits":{"turns":0})"), false},
      {with(R"("limits":{"turn":1})"), false},
      {with(R"("tools":"pay","approval":{"pay":"always"})"), true},
      {with(R"("tools":"pay","approval":{"pay":"never"})"), false},
      {with(R"("tools":"pay","approval":"always")"), false},
      {"[]", false},
  };
  for (const auto& [text, is_taken] : cases) {
    const auto file = parse_json(text, "test");
    ASSERT_TRUE(file) << text;
    const auto problems = schema->check(*file);
    ASSERT_TRUE(problems) << text;
    EXPECT_EQ(problems->empty(), is_taken) << text;
    const auto spec = agent_from_file(*file, offered);
    EXPECT_EQ(spec.has_value(), is_taken) << text << (spec ? "" : ": " + spec.error().message);
  }
}

}  // namespace
}  // namespace perdure
