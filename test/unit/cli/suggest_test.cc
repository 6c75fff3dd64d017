#include "cli/suggest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perdure::cli {
namespace {

TEST(Suggest, NamesWhatIsThere) {
  using testing::HasSubstr;
  using testing::Not;
  Found found;
  EXPECT_THAT(model_advice("p.toml", "main", found), HasSubstr("add one to p.toml"));
  found.openai_key = true;
  EXPECT_THAT(model_advice("p.toml", "main", found),
              testing::AllOf(HasSubstr("OPENAI_API_KEY is set"), HasSubstr("[models.main]"),
                             Not(HasSubstr("ANTHROPIC"))));
  found.openai_key = false;
  found.anthropic_key = true;
  EXPECT_THAT(model_advice("p.toml", "main", found), HasSubstr("\"env:ANTHROPIC_API_KEY\""));
  found.ollama_models = {"llama \"x\"", "other"};
  EXPECT_THAT(model_advice("p.toml", "main", found),
              testing::AllOf(HasSubstr(R"(model = "llama \"x\"")"), HasSubstr("ANTHROPIC")));
}

TEST(Suggest, TakesTheNameThatTheAgentUses) {
  struct {
    std::string agent;
    std::vector<std::string> names;
  } const rows[] = {{"{}", {"main"}},
                    {R"({"model":"large"})", {"large"}},
                    {R"({"model":["a",3,"b"]})", {"a", "b"}},
                    {R"({"model":{}})", {"main"}}};
  for (const auto& row : rows) {
    EXPECT_EQ(models_named(parse_json(row.agent, "agent")->as_object()), row.names) << row.agent;
  }
}

}  // namespace
}  // namespace perdure::cli
