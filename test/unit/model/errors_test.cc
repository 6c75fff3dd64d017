#include <gtest/gtest.h>

#include "model/openai_errors.h"

namespace perdure {
namespace {

using enum FailureClass;
using End = HttpResult::End;
const HttpHeaders kNoHeaders;

struct Row {
  int status;
  std::string body;
  HttpHeaders headers;
  FailureClass failure;
  Outcome outcome;
  int64_t retry_after_ms = 0;
};

std::string with_code(std::string_view code, std::string_view type = "invalid_request_error") {
  return R"({"error":{"message":"m","type":")" + std::string(type) + R"(","param":null,"code":")" +
         std::string(code) + R"("}})";
}

std::string with_message(std::string_view message) {
  return R"({"error":{"message":")" + std::string(message) +
         R"(","type":"invalid_request_error","param":null,"code":null}})";
}

// The documented answers of the API.
std::vector<Row> documented() {
  const Outcome failed = Outcome::kFailed;
  const Outcome doubt = Outcome::kInDoubt;
  const Outcome deferred = Outcome::kDeferred;
  std::vector<Row> rows = {
      {400, with_message("bad"), {}, kInvalid, failed},
      {400, with_code("context_length_exceeded"), {}, kContextOverflow, failed},
      {400, with_message("No tool output found for function call"), {}, kInvalid, failed},
      {400, with_code("content_filter"), {}, kRefusal, failed},
      {401, with_code("invalid_api_key"), {}, kAuth, failed},
      {401, "", {}, kAuth, failed},
      {403, with_message("Country, region, or territory not supported"), {}, kAuth, failed},
      {404, with_code("model_not_found"), {}, kInvalid, failed},
      {408, "", {}, kTransient, doubt},
      {409, with_message("conflict"), {}, kTransient, doubt},
      {409, with_code("conversation_locked"), {}, kTransient, doubt},
      {413, "", {}, kTooLarge, failed},
      {422, with_message("unprocessable"), {}, kInvalid, failed},
      {429, with_code("rate_limit_exceeded", "requests"), {}, kRateLimit, deferred},
      {429, with_code("slow_down"), {{"retry-after", "2"}}, kRateLimit, deferred, 2000},
      {429, "", {{"retry-after", "10800"}}, kRateLimit, deferred, 10'800'000},
      {500, with_code("", "server_error"), {}, kTransient, doubt},
      {503, with_code("server_is_overloaded", "service_unavailable_error"), {}, kTransient, doubt},
      {503, with_code("", "service_unavailable_error"), {}, kTransient, doubt},
  };
  for (const std::string_view code :
       {"insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded", "organization_usage_limit_exceeded"}) {
    rows.push_back({429, with_code(code), {{"retry-after", "1"}}, kQuota, failed, 1000});
  }
  return rows;
}

// Servers that imitate the API, proxies before them, and advice in headers.
std::vector<Row> others() {
  const Outcome failed = Outcome::kFailed;
  const Outcome doubt = Outcome::kInDoubt;
  const Outcome deferred = Outcome::kDeferred;
  return {
      {400,
       R"({"object":"error","message":"This model's maximum context length is 4096 tokens"})",
       {},
       kContextOverflow,
       failed},
      {400,
       R"({"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}})",
       {},
       kContextOverflow,
       failed},
      {413, with_message("Prompt is too long"), {}, kContextOverflow, failed},
      {400, R"({"error":"model 'x' not found"})", {}, kInvalid, failed},
      {422, R"({"detail":"field required"})", {}, kInvalid, failed},
      {402, R"({"error":{"code":402,"message":"Insufficient credits"}})", {}, kQuota, failed},
      {405, "<html>no</html>", {}, kInvalid, failed},
      {418, "", {}, kInvalid, failed},
      {499, "\xFF\xFE", {}, kInvalid, failed},
      {302, "", {{"location", "https://elsewhere"}}, kInvalid, failed},
      {502, "<html>bad gateway</html>", {}, kTransient, doubt},
      {504, "", {}, kTransient, doubt},
      {529, R"({"error":{"type":"overloaded_error"}})", {}, kTransient, doubt},
      {503, "", {{"retry-after", "7"}}, kTransient, doubt, 7000},
      {429, "", {{"retry-after-ms", "250"}, {"retry-after", "9"}}, kRateLimit, deferred, 250},
      {429,
       "",
       {{"x-ratelimit-reset-requests", "6m0s"}, {"x-ratelimit-reset-tokens", "1s"}},
       kRateLimit,
       deferred,
       360'000},
      {429,
       "",
       {{"x-ratelimit-reset-requests", "6m0s"},
        {"x-ratelimit-remaining-requests", "12"},
        {"x-ratelimit-reset-tokens", "1.5s"},
        {"x-ratelimit-remaining-tokens", "0"}},
       kRateLimit,
       deferred,
       1500},
      {500, "", {{"x-should-retry", "false"}}, kTransient, failed},
      {429, "", {{"x-should-retry", "false"}}, kRateLimit, failed},
      {400, "", {{"x-should-retry", "true"}, {"retry-after", "3"}}, kInvalid, deferred, 3000},
      {503, "", {{"x-should-retry", "true"}}, kTransient, doubt},
      {200, "hello", {}, kMalformedOutput, doubt},
  };
}

void check(const Row& row) {
  SCOPED_TRACE(std::to_string(row.status) + " " + row.body);
  const CallFailure got = classify_openai(row.status, row.body, {.headers = row.headers});
  EXPECT_EQ(to_string(got.failure), to_string(row.failure));
  EXPECT_EQ(to_string(got.outcome), to_string(row.outcome));
  EXPECT_EQ(got.retry_after_ms, row.retry_after_ms);
  EXPECT_FALSE(got.detail.empty());
}

TEST(OpenAiErrors, Documented) {
  for (const Row& row : documented()) check(row);
}

TEST(OpenAiErrors, OtherServers) {
  for (const Row& row : others()) check(row);
}

TEST(CallFailure, EndsWithoutAnAnswer) {
  struct {
    End end;
    FailureClass failure;
    Outcome outcome;
  } const rows[] = {
      {End::kNotSent, kTransient, Outcome::kNotSent},
      {End::kTimedOut, kAmbiguous, Outcome::kInDoubt},
      {End::kCut, kAmbiguous, Outcome::kInDoubt},
      {End::kCancelled, kAmbiguous, Outcome::kInDoubt},
      {End::kTooLarge, kMalformedOutput, Outcome::kInDoubt},
  };
  for (const auto& row : rows) {
    const CallFailure got = ended_early(row.end, "as seen");
    EXPECT_EQ(got.failure, row.failure);
    EXPECT_EQ(got.outcome, row.outcome);
    EXPECT_NE(got.detail.find("as seen"), std::string::npos);
  }
}

TEST(OpenAiErrors, InsideAStream) {
  struct {
    std::string error;
    FailureClass failure;
    Outcome outcome;
  } const rows[] = {
      {R"({"code":"server_error","message":"m"})", kTransient, Outcome::kInDoubt},
      {R"({"code":"rate_limit_exceeded","message":"m"})", kRateLimit, Outcome::kDeferred},
      {R"({"code":"vector_store_timeout"})", kTransient, Outcome::kInDoubt},
      {R"({"code":"insufficient_quota"})", kQuota, Outcome::kFailed},
      {R"({"code":"invalid_prompt"})", kInvalid, Outcome::kFailed},
      {R"({"code":"bio_policy"})", kRefusal, Outcome::kFailed},
      {R"({"code":"data_residency_mismatch"})", kInvalid, Outcome::kFailed},
      {R"({"code":"image_parse_error"})", kInvalid, Outcome::kFailed},
      {R"({"code":502,"message":"upstream"})", kTransient, Outcome::kInDoubt},
      {R"({"code":429,"message":"upstream"})", kRateLimit, Outcome::kDeferred},
      {R"({"message":"who knows"})", kTransient, Outcome::kInDoubt},
      {R"("text")", kTransient, Outcome::kInDoubt},
      {R"(17)", kTransient, Outcome::kInDoubt},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.error);
    const CallFailure got =
        classify_openai_error(parse_json(row.error, "test").value(), {.headers = kNoHeaders});
    EXPECT_EQ(to_string(got.failure), to_string(row.failure));
    EXPECT_EQ(to_string(got.outcome), to_string(row.outcome));
  }
}

TEST(OpenAiErrors, DetailsAreOneBoundedLine) {
  std::string message;
  for (int i = 0; i < 5000; ++i) message += "\xC3\xBC";
  const HttpHeaders headers = {{"x-request-id", "req_\xFF\n1"}};
  const CallFailure got =
      classify_openai(400, with_message("a\\nb" + message), {.headers = headers});
  EXPECT_LT(got.detail.size(), 1000u);
  EXPECT_EQ(got.detail.find('\n'), std::string::npos);
  EXPECT_NE(got.detail.find("HTTP 400 invalid_request_error: a b"), std::string::npos);
  EXPECT_NE(got.detail.find("req_? 1"), std::string::npos);
}

TEST(RetryHint, DatesCountFromTheServersOwn) {
  const HttpHeaders headers = {{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"},
                               {"date", "Sun, 06 Nov 1994 08:49:07 GMT"}};
  EXPECT_EQ(retry_after_ms(headers, true, 0), 30'000);
  const HttpHeaders undated = {{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  EXPECT_EQ(retry_after_ms(undated, true, 784'111'770'000), 7000);
  EXPECT_EQ(retry_after_ms(undated, true, 784'111'780'000), 0);
}

TEST(RetryHint, OddValues) {
  const auto after = [](std::string value) {
    return retry_after_ms({{"retry-after", std::move(value)}}, true, 0);
  };
  EXPECT_EQ(after(" 1.5 "), 1500);
  EXPECT_EQ(after("-1"), 0);
  EXPECT_EQ(after("soon"), 0);
  EXPECT_EQ(after("1e9"), 0);
  EXPECT_EQ(after("nan"), 0);
  EXPECT_EQ(after("99999999999999999999999"), kRetryHintMaxMs);
  EXPECT_EQ(retry_after_ms({{"retry-after-ms", "x"}, {"retry-after", "2"}}, true, 0), 2000);
}

TEST(RetryHint, Resets) {
  EXPECT_EQ(parse_reset_ms("1s"), 1000);
  EXPECT_EQ(parse_reset_ms("6m0s"), 360'000);
  EXPECT_EQ(parse_reset_ms("1h2m3.5s"), 3'723'500);
  EXPECT_EQ(parse_reset_ms("20ms"), 20);
  EXPECT_EQ(parse_reset_ms("17"), 17'000);
  EXPECT_EQ(parse_reset_ms("1d"), 86'400'000);
  EXPECT_EQ(parse_reset_ms("6x"), std::nullopt);
  EXPECT_EQ(parse_reset_ms("s"), std::nullopt);
}

}  // namespace
}  // namespace perdure
