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
  found.ollama_url = "http://box:1";
  found.ollama_models = {"llama \"x\"", "other"};
  EXPECT_THAT(model_advice("p.toml", "main", found),
              testing::AllOf(HasSubstr(R"(model = "llama \"x\"")"), HasSubstr("ANTHROPIC"),
                             HasSubstr("Ollama answers at http://box:1;"),
                             HasSubstr(R"(base_url = "http://box:1/v1")")));
}

TEST(Suggest, WhereOllamaIs) {
  constexpr const char* kUsual = "http://127.0.0.1:11434";
  struct {
    std::string given, url;
  } const rows[] = {{"", kUsual},
                    {"0.0.0.0", kUsual},
                    {"[::]", kUsual},
                    {"http://", "http://127.0.0.1:80"},
                    {":5", "http://127.0.0.1:5"},
                    {"0.0.0.0:5", "http://127.0.0.1:5"},
                    {"box", "http://box:11434"},
                    {"box:", "http://box:11434"},
                    {"box:0", "http://box:11434"},
                    {"box:1", "http://box:1"},
                    {"https://box", "https://box:443"},
                    {"http://box", "http://box:80"},
                    {"http://a.box:2/path", "http://a.box:2"},
                    {"[::1]:5", "http://[::1]:5"},
                    {"[::1]", "http://[::1]:11434"},
                    {"box:x", "http://box:11434"},
                    {"box:1:2", "http://box:11434"},
                    {"box:65536", "http://box:11434"},
                    {"box:99999999999999999999", "http://box:11434"},
                    {"[::1", kUsual},
                    {"[::1]5", kUsual},
                    {"ftp://box", kUsual},
                    {"a\"b", kUsual},
                    {"a b", kUsual},
                    {"\x1b[1m", kUsual}};
  for (const auto& row : rows) EXPECT_EQ(ollama_url(row.given), row.url) << row.given;
}

TEST(Suggest, EachTableHasAPrice) {
  const Found rows[] = {
      {true, false, "", {}}, {false, true, "", {}}, {false, false, "http://box:1", {"m"}}, {}};
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
