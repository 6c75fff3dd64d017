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

TEST(Suggest, EachTableHasAPrice) {
  const Found rows[] = {{true, false, {}}, {false, true, {}}, {false, false, {"m"}}, {}};
  for (const Found& found : rows) {
    EXPECT_THAT(model_advice("p.toml", "main", found),
                testing::HasSubstr("    price_per_mtok = {input = "));
  }
}

TEST(Suggest, ModelsThatSpeak) {
  const json::value tags = *parse_json(
      R"({"models": [{"name": "nomic-embed-text"}, {"name": "minilm", "details": {"family": "bert"}},
                     3, {"size": 4}, {"name": "qwen3", "details": {"family": "qwen3"}}]})",
      "tags");
  EXPECT_THAT(ollama_models(tags.as_object()), testing::ElementsAre("qwen3"));
  EXPECT_THAT(ollama_models({}), testing::IsEmpty());
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
