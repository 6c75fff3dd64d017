#include <gtest/gtest.h>

#include "model/model_config.h"

namespace perdure {
namespace {

Result<ModelConfig> parse(std::string_view table) {
  return parse_model_config("main", parse_json(table, "test").value());
}

std::string error_of(std::string_view table) {
  const auto config = parse(table);
  EXPECT_FALSE(config) << table;
  return config ? std::string() : config.error().message;
}

TEST(ModelConfig, ReadsWhatIsThere) {
  const auto config = parse(R"({
    "provider": "openai-chat", "base_url": "https://api.example/v1/", "model": "m",
    "key": "env:KEY", "max_output_tokens": 50, "max_tokens_member": "max_tokens",
    "price_per_mtok": {"input": 1.25, "output": 10},
    "timeouts": {"first_byte": "90s", "total": 600},
    "retry": {"max_attempts": 3, "backoff": "250ms", "backoff_max": "5m"},
    "extra": {"temperature": 0.5, "seed": 3}, "record_to": "exchanges.jsonl"})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->base_url, "https://api.example/v1");
  EXPECT_EQ(config->max_output_tokens, 50);
  EXPECT_EQ(config->max_tokens_member, ModelConfig::MaxTokensMember::kMaxTokens);
  EXPECT_EQ(config->price.input_per_mtok, 1'250'000);
  EXPECT_EQ(config->price.output_per_mtok, 10'000'000);
  EXPECT_EQ(config->timeouts.first_byte_ms, 90'000);
  EXPECT_EQ(config->timeouts.total_ms, 600'000);
  EXPECT_EQ(config->timeouts.connect_ms, 10'000);
  EXPECT_EQ(config->max_attempts, 3u);
  EXPECT_EQ(config->backoff_ms, 250);
  EXPECT_EQ(config->backoff_max_ms, 300'000);
  EXPECT_EQ(config->extra, R"({"seed":3,"temperature":5E-1})");
}

TEST(ModelConfig, NamesWhatIsWrong) {
  const std::string good = R"("provider":"openai-chat","base_url":"https://a/v1","model":"m")";
  const auto with = [&](const std::string& more) {
    return error_of("{" + good + "," + more + "}");
  };
  EXPECT_EQ(with(R"("modle":"x")"), "models.main.modle: unknown; did you mean 'model'?");
  EXPECT_EQ(with(R"("price_per_mtok":{"imput":1})"),
            "models.main.price_per_mtok.imput: unknown; did you mean 'input'?");
  EXPECT_EQ(with(R"("timeouts":{"gaps":1})"),
            "models.main.timeouts.gaps: unknown; did you mean 'gap'?");
  EXPECT_EQ(with(R"("retry":{"backoff":"9m"})"),
            "models.main.retry.backoff_max: is smaller than backoff");
  EXPECT_EQ(with(R"("extra":{"stream":false})"),
            "models.main.extra: 'stream' is written by the server itself");
  EXPECT_EQ(with(R"("price_per_mtok":{"input":-1})").find("models.main.price_per_mtok.input"), 0u);
  EXPECT_EQ(error_of(R"({"base_url":"https://a","model":"m"})"),
            "models.main.provider: is missing");
  EXPECT_EQ(error_of(R"({"provider":"openai-chat","base_url":"https://a"})"),
            "models.main.model: is missing");
  EXPECT_EQ(error_of(R"({"provider":"replay","model":"m"})"), "models.main.recording: is missing");
  EXPECT_EQ(
      error_of(R"({"provider":"chatgpt","base_url":"https://a","model":"m"})"),
      R"(models.main.provider: expected one of "openai-chat", "gemini", "bedrock", "anthropic", "openai-responses", "replay")");
}

TEST(ModelConfig, KeysAreReferences) {
  const std::string error = error_of(
      R"({"provider":"openai-chat","base_url":"https://a","model":"m","key":"sk-secret-1"})");
  EXPECT_EQ(error.find("models.main.key"), 0u);
  EXPECT_EQ(error.find("sk-secret"), std::string::npos);
}

TEST(ModelConfig, KeysDoNotLeaveInPlainText) {
  const std::string plain =
      R"("provider":"openai-chat","base_url":"http://a:1/v1","model":"m","key":"env:K")";
  EXPECT_EQ(error_of("{" + plain + "}").find("models.main.base_url"), 0u);
  EXPECT_TRUE(parse("{" + plain + R"(,"allow_private":true})"));
  EXPECT_TRUE(parse(R"({"provider":"openai-chat","base_url":"http://a:1/v1","model":"m"})"));
}

TEST(ModelConfig, BaseUrls) {
  for (const char* url : {"", "api.example", "ftp://a", "https://", "https://u:p@a/v1",
                          "https://a/v1?x=1", "https://a/v1#f", "https://a b"}) {
    EXPECT_NE(error_of(std::string(R"({"provider":"openai-chat","model":"m","base_url":")") + url +
                       R"("})")
                  .find("base_url"),
              std::string::npos);
  }
}

TEST(ModelConfig, Gemini) {
  const auto config = parse(R"({"provider":"gemini","model":"gemini-3-pro","key":"env:K"})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->base_url, "https://generativelanguage.googleapis.com/v1beta");
  EXPECT_TRUE(parse(R"({"provider":"gemini","model":"m",
                        "extra":{"generationConfig":{"temperature":0}}})"));
  EXPECT_EQ(
      error_of(R"({"provider":"gemini","model":"m",
                         "extra":{"generationConfig":{"maxOutputTokens":1}}})"),
      "models.main.extra: 'generationConfig.maxOutputTokens' is written by the server itself");
  EXPECT_EQ(error_of(R"({"provider":"gemini","model":"m","aws":{}})"), "models.main.aws: unknown");
}

TEST(ModelConfig, Bedrock) {
  const auto with = [](const std::string& aws) {
    return R"({"provider":"bedrock","model":"m","aws":{"region":"eu-west-3")" + aws + "}}";
  };
  const auto config = parse(with(
      R"(,"access_key_id":"env:ID","secret_access_key":"file:secret","session_token":"env:T")"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->base_url, "https://bedrock-runtime.eu-west-3.amazonaws.com");
  EXPECT_EQ(config->aws.session_token, "env:T");
  EXPECT_TRUE(parse(with("")));
  EXPECT_EQ(error_of(R"({"provider":"bedrock","model":"m"})"),
            "models.main.aws: is missing: name the region at least");
  EXPECT_EQ(error_of(R"({"provider":"bedrock","model":"m","aws":{"region":"x.evil"}})"),
            "models.main.aws.region: expected the name of a region, e.g. \"us-east-1\"");
  EXPECT_EQ(error_of(with(R"(,"access_key_id":"env:ID")")),
            "models.main.aws.access_key_id: goes with secret_access_key");
  EXPECT_EQ(error_of(with(R"(,"session_token":"env:ID")")),
            "models.main.aws.session_token: goes with access_key_id and secret_access_key");
  EXPECT_EQ(error_of(with(R"(,"access_key_id":"env:A","secret_access_key":"AKIA1")"))
                .find("models.main.aws.secret_access_key: expected"),
            0u);
  EXPECT_EQ(error_of(R"({"provider":"bedrock","model":"m","key":"env:K","aws":{"region":"r",
                         "access_key_id":"env:A","secret_access_key":"env:B"}})"),
            "models.main.aws.access_key_id: goes without `key` of the model");
  EXPECT_EQ(error_of(R"({"provider":"bedrock","model":"m","base_url":"http://a","aws":{"region":"r",
                         "access_key_id":"env:A","secret_access_key":"env:B"}})")
                .find("models.main.base_url: a key is sent over https only"),
            0u);
}

TEST(Price, RoundsUpAndNeverOverflows) {
  const ModelPrice price{.input_per_mtok = 1'000'000, .output_per_mtok = 4'000'000};
  EXPECT_EQ(cost(price, {}), 0);
  EXPECT_EQ(cost(price, {.input = 1'000'000}), 1'000'000);
  EXPECT_EQ(cost(price, {.input = 1000, .output = 500}), 3000);
  EXPECT_EQ(cost({.input_per_mtok = 1, .output_per_mtok = 0}, {.input = 1}), 1);
  EXPECT_EQ(
      cost({.input_per_mtok = 600'000, .output_per_mtok = 600'000}, {.input = 1, .output = 1}), 2);
  EXPECT_EQ(cost(price, {.input = -1, .output = -5}), 0);
  const MicroUsd dearest = micro_usd(kPriceMaxUsdPerMtok);
  EXPECT_EQ(cost({.input_per_mtok = dearest, .output_per_mtok = dearest},
                 {.input = INT64_MAX, .output = INT64_MAX}),
            2'000'000'000'000'000'000);
}

TEST(Price, ReadsDollarsOnce) {
  EXPECT_EQ(micro_usd(0.15), 150'000);
  EXPECT_EQ(micro_usd(0.1 + 0.2), 300'000);
  EXPECT_EQ(micro_usd(1e99), 1'000'000'000'000);
  EXPECT_EQ(micro_usd(-1), 0);
}

TEST(Price, Estimates) {
  const Usage usage =
      estimate({.input_per_mtok = 3'000'000, .output_per_mtok = 15'000'000}, 3000, 100);
  EXPECT_EQ(usage.input_tokens, 1001);
  EXPECT_EQ(usage.output_tokens, 100);
  EXPECT_EQ(usage.cost_micro_usd, 1001 * 3 + 100 * 15);
  EXPECT_EQ(usage.model_calls, 1);
}

}  // namespace
}  // namespace perdure
