// What an error is taken to have cost that came inside an answer whose status was 200.
#include "model/exchange.h"

#include <gtest/gtest.h>

#include "aws_event_messages.h"

namespace perdure {
namespace {

using enum FailureClass;
using Dialect = ModelConfig::Provider;

std::string event(std::string_view data) {
  return "data: " + std::string(data) + "\n\n";
}

std::string chat(std::string_view delta) {
  return event(R"({"choices":[{"index":0,"delta":)" + std::string(delta) + "}]}");
}

std::string failed_response(std::string_view more) {
  return event(R"({"type":"response.failed","response":{"id":"r","status":"failed",)" +
               std::string(more) + "}}");
}

const std::string kChatOverloaded = event(R"({"error":{"code":"server_is_overloaded"}})");
const std::string kCreated =
    event(R"({"type":"response.created","response":{"id":"r","status":"in_progress"}})");
const std::string kItemBegins =
    event(R"({"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning"}})");
const std::string kResponsesError = event(R"({"type":"error","code":"server_error"})");
const std::string kMessageStart = event(
    R"({"type":"message_start","message":{"id":"m","usage":{"input_tokens":1000,"output_tokens":1}}})");
const std::string kBlockStart =
    event(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
const std::string kOverloaded = event(R"({"type":"error","error":{"type":"overloaded_error"}})");
const std::string kThought =
    event(R"({"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true}]}}]})");
const std::string kUnavailable = event(R"({"error":{"code":503,"status":"UNAVAILABLE"}})");

std::string bedrock(std::string_view exception) {
  return test::aws_exception(exception, R"({"message":"m"})");
}

struct Row {
  std::string what;
  Dialect dialect;
  std::string body;
  FailureClass failure;
  Outcome outcome;
  std::optional<MicroUsd> cost;  // absent: unknown, so all that is reserved
};

const std::vector<Row>& rows() {
  const std::string piece = chat(R"({"content":"x"})");
  const std::string begun = test::aws_event("messageStart", R"({"role":"assistant"})");
  const std::string text =
      test::aws_event("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"x"}})");
  static const std::vector<Row> kRows = {
      {"chat: overloaded", Dialect::kOpenAiChat, kChatOverloaded, kTransient, Outcome::kInDoubt, 0},
      {"chat: only a role before", Dialect::kOpenAiChat,
       chat(R"({"role":"assistant","content":""})") + kChatOverloaded, kTransient,
       Outcome::kInDoubt, 0},
      {"chat: a status in the error", Dialect::kOpenAiChat, event(R"({"error":{"code":502}})"),
       kTransient, Outcome::kInDoubt, 0},
      {"chat: a gateway that ran out of time", Dialect::kOpenAiChat,
       event(R"({"error":{"code":504}})"), kAmbiguous, Outcome::kInDoubt, std::nullopt},
      {"chat: an error that nobody knows", Dialect::kOpenAiChat,
       event(R"({"error":{"message":"upstream"}})"), kAmbiguous, Outcome::kInDoubt, std::nullopt},
      {"chat: behind text", Dialect::kOpenAiChat, piece + kChatOverloaded, kAmbiguous,
       Outcome::kInDoubt, std::nullopt},
      {"chat: behind reasoning", Dialect::kOpenAiChat,
       chat(R"({"reasoning_content":"Hm."})") + kChatOverloaded, kAmbiguous, Outcome::kInDoubt,
       std::nullopt},
      {"chat: a rate limit", Dialect::kOpenAiChat,
       event(R"({"error":{"code":"rate_limit_exceeded"}})"), kRateLimit, Outcome::kDeferred, 0},
      {"chat: a rate limit behind text", Dialect::kOpenAiChat,
       piece + event(R"({"error":{"code":"rate_limit_exceeded"}})"), kRateLimit, Outcome::kInDoubt,
       std::nullopt},
      {"chat: invalid", Dialect::kOpenAiChat, event(R"({"error":{"code":"invalid_prompt"}})"),
       kInvalid, Outcome::kFailed, 0},
      {"chat: invalid behind text", Dialect::kOpenAiChat,
       piece + event(R"({"error":{"code":"invalid_prompt"}})"), kInvalid, Outcome::kFailed,
       std::nullopt},
      {"responses: an error event", Dialect::kOpenAiResponses, kCreated + kResponsesError,
       kTransient, Outcome::kInDoubt, 0},
      {"responses: behind the beginning of an item", Dialect::kOpenAiResponses,
       kCreated + kItemBegins + kResponsesError, kAmbiguous, Outcome::kInDoubt, std::nullopt},
      {"responses: failed", Dialect::kOpenAiResponses,
       kCreated + failed_response(R"("error":{"code":"server_error"},"usage":null)"), kTransient,
       Outcome::kInDoubt, 0},
      {"responses: failed, and counted", Dialect::kOpenAiResponses,
       kCreated + failed_response(R"("error":{"code":"server_error"},)"
                                  R"("usage":{"input_tokens":1000,"output_tokens":10})"),
       kAmbiguous, Outcome::kInDoubt, 1040},
      {"responses: a tool of theirs was late", Dialect::kOpenAiResponses,
       kCreated + failed_response(R"("error":{"code":"vector_store_timeout"})"), kAmbiguous,
       Outcome::kInDoubt, std::nullopt},
      {"anthropic: overloaded", Dialect::kAnthropic, kOverloaded, kTransient, Outcome::kInDoubt, 0},
      {"anthropic: the input was counted", Dialect::kAnthropic, kMessageStart + kOverloaded,
       kAmbiguous, Outcome::kInDoubt, 1004},
      {"anthropic: behind a block", Dialect::kAnthropic, kMessageStart + kBlockStart + kOverloaded,
       kAmbiguous, Outcome::kInDoubt, std::nullopt},
      {"anthropic: out of time", Dialect::kAnthropic,
       event(R"({"type":"error","error":{"type":"timeout_error"}})"), kAmbiguous, Outcome::kInDoubt,
       std::nullopt},
      {"gemini: unavailable", Dialect::kGemini, kUnavailable, kTransient, Outcome::kInDoubt, 0},
      {"gemini: behind a thought", Dialect::kGemini, kThought + kUnavailable, kAmbiguous,
       Outcome::kInDoubt, std::nullopt},
      {"gemini: out of time", Dialect::kGemini,
       event(R"({"error":{"code":504,"status":"DEADLINE_EXCEEDED"}})"), kAmbiguous,
       Outcome::kInDoubt, std::nullopt},
      {"bedrock: unavailable", Dialect::kBedrock, begun + bedrock("serviceUnavailableException"),
       kTransient, Outcome::kInDoubt, 0},
      {"bedrock: behind text", Dialect::kBedrock,
       begun + text + bedrock("serviceUnavailableException"), kAmbiguous, Outcome::kInDoubt,
       std::nullopt},
      {"bedrock: the model broke", Dialect::kBedrock, begun + bedrock("modelStreamErrorException"),
       kAmbiguous, Outcome::kInDoubt, std::nullopt},
  };
  return kRows;
}

ProviderResult result_of(const Row& row, const ProviderCall& call = {}, bool background = false) {
  ModelConfig config;
  config.provider = row.dialect;
  config.background = background;
  config.price = {.input_per_mtok = 1'000'000, .output_per_mtok = 4'000'000};
  Exchange exchange(codec_of(row.dialect), call, config, {});
  exchange.on_body(200, row.body);
  HttpResult end;
  end.status = 200;
  end.end = HttpResult::End::kComplete;
  return exchange.finish(end, 0);
}

TEST(Exchange, WhatAnErrorInsideAnAnswerCosts) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.what);
    const ProviderResult got = result_of(row);
    EXPECT_EQ(to_string(got.failure), to_string(row.failure));
    EXPECT_EQ(to_string(got.outcome), to_string(row.outcome));
    ASSERT_EQ(got.used.has_value(), row.cost.has_value());
    if (got.used) EXPECT_EQ(got.used->cost_micro_usd, *row.cost);
  }
}

TEST(Exchange, AnErrorInsideAFetchSaysNothingOfTheCost) {
  ProviderCall fetch;
  fetch.provider_id = "r";
  for (const Row& row : rows()) {
    if (row.dialect != Dialect::kOpenAiResponses) continue;
    EXPECT_FALSE(result_of(row, fetch, true).used) << row.what;
  }
}

TEST(Exchange, AResponseInTheBackgroundThatMetALimitCostsNothing) {
  Row row;
  row.dialect = Dialect::kOpenAiResponses;
  row.body = kCreated + failed_response(R"("error":{"code":"rate_limit_exceeded"},"usage":null)");
  const ProviderResult got = result_of(row, {}, true);
  EXPECT_EQ(to_string(got.outcome), to_string(Outcome::kInDoubt)) << "there is nothing to fetch";
  EXPECT_EQ(to_string(got.failure), to_string(kRateLimit));
  ASSERT_TRUE(got.used);
  EXPECT_EQ(got.used->cost_micro_usd, 0);
}

TEST(Exchange, AResponseInTheBackgroundThatFailedMayBePaidFor) {
  Row row;
  row.dialect = Dialect::kOpenAiResponses;
  row.body = kCreated + failed_response(R"("error":{"code":"server_error"},"usage":null)");
  const ProviderResult got = result_of(row, {}, true);
  EXPECT_EQ(to_string(got.outcome), to_string(Outcome::kInDoubt));
  EXPECT_EQ(to_string(got.failure), to_string(kAmbiguous));
  EXPECT_FALSE(got.used);
}

// The stream broke, and the response may go on.
TEST(Exchange, AnErrorEventOfAResponseInTheBackgroundIsFollowedByAFetch) {
  for (const std::string& came : {kCreated, kCreated + kItemBegins}) {
    Row row;
    row.dialect = Dialect::kOpenAiResponses;
    row.body = came + kResponsesError;
    const ProviderResult got = result_of(row, {}, true);
    EXPECT_EQ(to_string(got.outcome), to_string(Outcome::kDeferred));
    EXPECT_EQ(to_string(got.failure), to_string(kContinue));
  }
}

}  // namespace
}  // namespace perdure
