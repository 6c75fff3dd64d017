#include "model/gemini_errors.h"

#include <gtest/gtest.h>

#include "model/gemini_stream.h"

namespace perdure {
namespace {

using enum FailureClass;
const HttpHeaders kNoHeaders;

std::string error(std::string_view status, std::string_view message = "m",
                  std::string_view details = "") {
  return R"({"error":{"code":1,"message":")" + std::string(message) + R"(","status":")" +
         std::string(status) + R"(","details":[)" + std::string(details) + "]}}";
}

constexpr std::string_view kRetryIn34s =
    R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"})";

std::string quota(std::string_view id, bool with_retry = true) {
  return (with_retry ? std::string(kRetryIn34s) + "," : std::string()) +
         R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":")" +
         std::string(id) + R"("}]})";
}

struct Row {
  int status;
  std::string body;
  FailureClass failure;
  Outcome outcome;
  int64_t retry_after_ms = 0;
};

std::vector<Row> rows() {
  const Outcome failed = Outcome::kFailed;
  const Outcome doubt = Outcome::kInDoubt;
  const Outcome deferred = Outcome::kDeferred;
  return {
      {400, error("INVALID_ARGUMENT"), kInvalid, failed},
      {400,
       error("INVALID_ARGUMENT",
             "The input token count (1200000) exceeds the maximum number of tokens allowed (1)."),
       kContextOverflow, failed},
      {400, error("INVALID_ARGUMENT", "Function call is missing a thought_signature"), kInvalid,
       failed},
      {400,
       error("INVALID_ARGUMENT", "API key not valid.",
             R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"})"),
       kAuth, failed},
      {400, error("FAILED_PRECONDITION", "User location is not supported"), kAuth, failed},
      {400, error("FAILED_PRECONDITION", "Please enable billing"), kQuota, failed},
      {401, error("UNAUTHENTICATED"), kAuth, failed},
      {402, error(""), kQuota, failed},
      {403, error("PERMISSION_DENIED"), kAuth, failed},
      {404, error("NOT_FOUND"), kInvalid, failed},
      {408, "", kTransient, doubt},
      {413, "", kTooLarge, failed},
      {499, error("CANCELLED"), kAmbiguous, doubt},
      {429, error("RESOURCE_EXHAUSTED", "m", kRetryIn34s), kRateLimit, deferred, 34'500},
      {429,
       error("RESOURCE_EXHAUSTED", "check your plan and billing details",
             quota("GenerateRequestsPerMinutePerProjectPerModel")),
       kRateLimit, deferred, 34'500},
      {429, error("RESOURCE_EXHAUSTED"), kRateLimit, deferred},
      {429, "", kRateLimit, deferred},
      {429,
       error("RESOURCE_EXHAUSTED", "m", quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier")),
       kQuota, failed, 34'500},
      {429, error("RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), kQuota, failed},
      {429, error("RESOURCE_EXHAUSTED", "m", quota("MonthlySpendCap", false)), kQuota, failed},
      {500, error("INTERNAL"), kTransient, doubt},
      {502, "<html>", kTransient, doubt},
      {503, error("UNAVAILABLE", "The model is overloaded."), kTransient, doubt},
      {504, error("DEADLINE_EXCEEDED"), kTransient, doubt},
      // An endpoint that streams an array puts its error into one.
      {429, "[" + error("RESOURCE_EXHAUSTED", "m", kRetryIn34s) + "\n]", kRateLimit, deferred,
       34'500},
      {302, "", kInvalid, failed},
      {500, R"({"error":"text"})", kTransient, doubt},
      {500, R"({"error":{"details":[1,{"@type":5},{"@type":"google.rpc.RetryInfo"}]}})", kTransient,
       doubt},
      {429,
       error("RESOURCE_EXHAUSTED", "m", R"({"@type":"/google.rpc.RetryInfo","retryDelay":"-5s"})"),
       kRateLimit, deferred},
  };
}

TEST(GeminiErrors, AnswersWithAStatus) {
  for (const Row& row : rows()) {
    const CallFailure got = classify_gemini(row.status, row.body, {.headers = kNoHeaders});
    const std::string what = std::to_string(row.status) + " " + row.body;
    EXPECT_EQ(got.failure, row.failure) << what << ": " << to_string(got.failure);
    EXPECT_EQ(got.outcome, row.outcome) << what;
    EXPECT_EQ(got.retry_after_ms, row.retry_after_ms) << what;
    EXPECT_NE(got.detail, "") << what;
  }
}

TEST(GeminiErrors, SaysWhatGoogleSaid) {
  const CallFailure got = classify_gemini(503, error("UNAVAILABLE", "The model is overloaded."),
                                          {.headers = kNoHeaders});
  EXPECT_EQ(got.detail, "HTTP 503 UNAVAILABLE: The model is overloaded.");
}

TEST(GeminiErrors, WithoutABodyTheStatusTells) {
  EXPECT_EQ(classify_gemini(403, "", {.headers = kNoHeaders}).failure, kAuth);
}

// How an answer with status 200 can end.
struct Finish {
  std::string_view reason;
  std::optional<ModelAnswer::Stop> stop;  // none: it is no answer
  FailureClass failure = kNone;
};

TEST(GeminiErrors, FinishReasons) {
  using Stop = ModelAnswer::Stop;
  const Finish finishes[] = {
      {"STOP", Stop::kEndTurn},
      {"MAX_TOKENS", Stop::kTruncated},
      {"SAFETY", Stop::kRefusal},
      {"PROHIBITED_CONTENT", Stop::kRefusal},
      {"BLOCKLIST", Stop::kRefusal},
      {"SPII", Stop::kRefusal},
      {"RECITATION", Stop::kRefusal},
      {"IMAGE_SAFETY", Stop::kRefusal},
      {"MALFORMED_FUNCTION_CALL", Stop::kMalformedCall},
      {"UNEXPECTED_TOOL_CALL", Stop::kMalformedCall},
      {"TOO_MANY_TOOL_CALLS", Stop::kTooManyCalls},
      {"OTHER", {}, kMalformedOutput},
      {"LANGUAGE", {}, kMalformedOutput},
      {"A_NEW_REASON", {}, kMalformedOutput},
  };
  for (const Finish& row : finishes) {
    GeminiStream stream({});
    stream.feed(R"(data: {"candidates":[{"content":{"parts":[{"text":"Well"}]}}]})"
                "\n\n");
    stream.feed(R"(data: {"candidates":[{"finishReason":")" + std::string(row.reason) +
                R"(","finishMessage":"why it ended"}]})"
                "\n\n");
    const auto end = stream.finish({.headers = kNoHeaders});
    ASSERT_EQ(end.answer.has_value(), row.stop.has_value()) << row.reason;
    if (!end.answer) {
      EXPECT_EQ(end.failure.failure, row.failure) << row.reason;
      continue;
    }
    EXPECT_EQ(end.answer->stop, *row.stop) << row.reason;
    EXPECT_EQ(end.answer->text, "Well");
    EXPECT_EQ(end.answer->refusal, *row.stop == Stop::kRefusal ? "why it ended" : "");
    const bool taken_out = *row.stop == Stop::kMalformedCall || *row.stop == Stop::kTooManyCalls;
    EXPECT_EQ(end.answer->stop_detail, taken_out ? "why it ended" : "");
  }
}

TEST(GeminiErrors, CallsThatWereTakenOutDoNotGoBack) {
  GeminiStream stream({});
  stream.feed(
      R"(data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},)"
      R"("finishReason":"TOO_MANY_TOOL_CALLS"}],"usageMetadata":{"promptTokenCount":7}})"
      "\n\n");
  const auto end = stream.finish({.headers = kNoHeaders});
  ASSERT_TRUE(end.answer) << end.failure.detail;
  EXPECT_TRUE(end.answer->calls.empty());
  EXPECT_TRUE(end.answer->raw.items.empty());
  EXPECT_EQ(end.answer->stop_detail, "TOO_MANY_TOOL_CALLS");
  EXPECT_EQ(end.answer->input_tokens, 7) << "it is paid for";
}

TEST(GeminiErrors, BlockedPrompts) {
  GeminiStream stream({});
  stream.feed(R"(data: {"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},)"
              R"("usageMetadata":{"promptTokenCount":7},"modelVersion":"g"})"
              "\n\n");
  const auto end = stream.finish({.headers = kNoHeaders});
  ASSERT_TRUE(end.answer) << end.failure.detail;
  EXPECT_EQ(end.answer->stop, ModelAnswer::Stop::kRefusal);
  EXPECT_EQ(end.answer->refusal, "the prompt was blocked: PROHIBITED_CONTENT");
  EXPECT_EQ(end.answer->input_tokens, 7);
  EXPECT_EQ(end.answer->output_tokens, 0);
}

TEST(GeminiErrors, InsideAStream) {
  const auto read = [](const std::string& body) {
    GeminiStream stream({});
    stream.feed(R"(data: {"candidates":[{"content":{"parts":[{"text":"Well"}]}}]})"
                "\n\n");
    stream.feed("data: " + body + "\n\n");
    return stream.finish({.headers = kNoHeaders}).failure;
  };
  EXPECT_EQ(read(error("UNAVAILABLE")).failure, kTransient);
  const CallFailure limited = read(error("RESOURCE_EXHAUSTED", "m", kRetryIn34s));
  EXPECT_EQ(limited.failure, kRateLimit);
  EXPECT_EQ(limited.retry_after_ms, 34'500);
  EXPECT_EQ(read(R"({"error":{"code":403}})").failure, kAuth);
  EXPECT_EQ(read(R"({"error":"x"})").failure, kTransient);
}

}  // namespace
}  // namespace perdure
