#include "tool/http_outcome.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/text.h"

namespace perdure {
namespace {

using End = HttpResult::End;

constexpr int64_t kNow = 784111777000;  // Sun, 06 Nov 1994 08:49:37 GMT

Send sending(EffectClass effect) {
  Send send;
  send.step = "s1";
  send.attempt = 3;
  send.effect = effect;
  return send;
}

HttpResult answer(int status, std::string body = "") {
  HttpResult result;
  result.end = End::kComplete;
  result.status = status;
  result.body = std::move(body);
  return result;
}

Masker masker() {
  Masker masker;
  masker.add("pay", "open-sesame");
  return masker;
}

SettleStep settle(HttpResult result, EffectClass effect = EffectClass::kOnce,
                  const HttpToolConfig& config = {}) {
  return classify(config, sending(effect), std::move(result), masker(), kNow);
}

struct Row {
  int status;
  Outcome outcome;
  FailureClass failure;
};

constexpr Row kTable[] = {
    {200, Outcome::kSucceeded, FailureClass::kNone},
    {201, Outcome::kSucceeded, FailureClass::kNone},
    {202, Outcome::kSucceeded, FailureClass::kNone},
    {204, Outcome::kSucceeded, FailureClass::kNone},
    {299, Outcome::kSucceeded, FailureClass::kNone},
    {300, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {301, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {303, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {307, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {400, Outcome::kFailed, FailureClass::kInvalid},
    {401, Outcome::kFailed, FailureClass::kAuth},
    {402, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {403, Outcome::kFailed, FailureClass::kAuth},
    {404, Outcome::kFailed, FailureClass::kInvalid},
    {405, Outcome::kFailed, FailureClass::kInvalid},
    {406, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {408, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {409, Outcome::kFailed, FailureClass::kInvalid},
    {410, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {413, Outcome::kFailed, FailureClass::kTooLarge},
    {422, Outcome::kFailed, FailureClass::kInvalid},
    {425, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {429, Outcome::kDeferred, FailureClass::kRateLimit},
    {500, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {501, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {502, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {503, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {504, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {599, Outcome::kInDoubt, FailureClass::kAmbiguous},
    {999, Outcome::kInDoubt, FailureClass::kAmbiguous},
};

TEST(Classify, StatusesOfTheTable) {
  for (const Row& row : kTable) {
    for (const EffectClass effect :
         {EffectClass::kRead, EffectClass::kRepeat, EffectClass::kIdempotent, EffectClass::kProbe,
          EffectClass::kOnce}) {
      if (row.status == 409 && effect == EffectClass::kIdempotent) continue;
      const SettleStep step = settle(answer(row.status), effect);
      EXPECT_EQ(step.outcome, row.outcome) << row.status;
      EXPECT_EQ(step.failure, row.failure) << row.status;
      EXPECT_EQ(step.step, "s1");
      EXPECT_EQ(step.attempt, 3u);
      EXPECT_EQ(step.detail.empty(), row.outcome == Outcome::kSucceeded) << step.detail;
    }
  }
}

TEST(Classify, AConflictUnderIdempotentIsInProgress) {
  const SettleStep step = settle(answer(409), EffectClass::kIdempotent);
  EXPECT_EQ(step.outcome, Outcome::kDeferred);
  EXPECT_EQ(step.failure, FailureClass::kTransient);
}

TEST(Classify, OtherEnds) {
  struct EndRow {
    End end;
    int status;
    Outcome outcome;
  };
  const EndRow rows[] = {
      {End::kNotSent, 0, Outcome::kNotSent},      {End::kTimedOut, 0, Outcome::kInDoubt},
      {End::kTimedOut, 200, Outcome::kInDoubt},   {End::kTimedOut, 404, Outcome::kInDoubt},
      {End::kCut, 0, Outcome::kInDoubt},          {End::kCut, 200, Outcome::kInDoubt},
      {End::kCut, 404, Outcome::kInDoubt},        {End::kCancelled, 0, Outcome::kInDoubt},
      {End::kCancelled, 200, Outcome::kInDoubt},  {End::kTooLarge, 0, Outcome::kInDoubt},
      {End::kTooLarge, 200, Outcome::kSucceeded}, {End::kTooLarge, 404, Outcome::kFailed},
      {End::kTooLarge, 500, Outcome::kInDoubt},
  };
  for (const EndRow& row : rows) {
    HttpResult result = answer(row.status);
    result.end = row.end;
    result.detail = "h:1: why";
    const SettleStep step = settle(result);
    EXPECT_EQ(step.outcome, row.outcome) << static_cast<int>(row.end) << " " << row.status;
    if (row.outcome != Outcome::kSucceeded) {
      EXPECT_TRUE(step.detail.ends_with("h:1: why")) << step.detail;
    }
  }
}

TEST(Classify, AToolMayDeclareMore) {
  HttpToolConfig config;
  config.definite = {{500, Outcome::kFailed},
                     {410, Outcome::kSucceeded},
                     {409, Outcome::kDeferred},
                     {202, Outcome::kInDoubt}};
  EXPECT_EQ(settle(answer(500), EffectClass::kOnce, config).outcome, Outcome::kFailed);
  EXPECT_EQ(settle(answer(410), EffectClass::kOnce, config).outcome, Outcome::kSucceeded);
  EXPECT_EQ(settle(answer(409), EffectClass::kOnce, config).outcome, Outcome::kDeferred);
  EXPECT_EQ(settle(answer(202), EffectClass::kOnce, config).outcome, Outcome::kInDoubt);
  EXPECT_EQ(settle(answer(502), EffectClass::kOnce, config).outcome, Outcome::kInDoubt);
  HttpResult cut = answer(500);
  cut.end = End::kCut;  // no declaration makes half an answer definite
  EXPECT_EQ(settle(cut, EffectClass::kOnce, config).outcome, Outcome::kInDoubt);
}

TEST(Classify, RetryAfterInSecondsAndAsADate) {
  HttpResult result = answer(429);
  result.headers = {{"retry-after", "7"}};
  EXPECT_EQ(settle(result).retry_after_ms, 7000);
  result.headers = {{"retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"}};
  EXPECT_EQ(settle(result).retry_after_ms, 30'000);
  result.headers = {{"retry-after", "whenever"}};
  EXPECT_EQ(settle(result).retry_after_ms, 0);
  result = answer(400);
  result.headers = {{"retry-after", "7"}};
  EXPECT_EQ(settle(result).retry_after_ms, 0);
}

TEST(Classify, ResultsAreTheBodyAsItIs) {
  EXPECT_EQ(settle(answer(200, R"({ "a": 1.50 })")).result.view(), R"({ "a": 1.50 })");
  EXPECT_EQ(settle(answer(200, "plain\ttext ä\n")).result.view(), "plain\ttext ä\n");
  EXPECT_EQ(settle(answer(404, "no such order")).result.view(), "no such order");
  EXPECT_TRUE(settle(answer(204)).result.exists());
  EXPECT_FALSE(settle(answer(404)).result.exists());
  EXPECT_FALSE(settle(answer(500, "half done")).result.exists());
}

TEST(Classify, DetailsShowTheBeginningOfTheAnswer) {
  EXPECT_EQ(settle(answer(503, "try\r\nlater")).detail, "HTTP 503: try  later");
  EXPECT_EQ(settle(answer(303)).detail, "HTTP 303 (redirects are not followed)");
  const std::string detail = settle(answer(500, std::string(299, 'x') + "ääää")).detail;
  EXPECT_TRUE(is_valid_utf8(detail));
  EXPECT_TRUE(detail.ends_with("x...")) << detail;
}

TEST(Classify, SecretsAreMaskedInResultAndDetail) {
  EXPECT_EQ(settle(answer(200, R"({"h":"Bearer open-sesame"})")).result.view(),
            R"({"h":"Bearer {{secret:pay}}"})");
  EXPECT_EQ(settle(answer(500, "bad key open-sesame")).detail, "HTTP 500: bad key {{secret:pay}}");
  // Bytes are masked before they are put into base 64, and a cut in the middle shows no half.
  const SettleStep bytes = settle(answer(200, "\xFF open-sesame"));
  EXPECT_EQ(bytes.result.view(), R"({"encoding":"base64","bytes":"/yB7e3NlY3JldDpwYXl9fQ=="})");
  HttpResult cut = answer(200, "key: open-ses");
  cut.end = End::kTooLarge;
  EXPECT_EQ(settle(cut).result.view(), "key: \n[truncated: the answer is longer than 13 bytes]");
}

TEST(Represent, EveryBodyIsUtf8) {
  const Masker none;
  EXPECT_EQ(represent("\xFF\xFE", false, none), R"({"encoding":"base64","bytes":"//4="})");
  EXPECT_EQ(represent("\xFF\xFE", true, none),
            R"({"encoding":"base64","bytes":"//4=","truncated":true})");
  const std::string text = "aä€🔑";
  for (size_t size = 1; size <= text.size(); ++size) {
    const std::string cut = represent(text.substr(0, size), true, none);
    EXPECT_TRUE(is_valid_utf8(cut)) << size;
    EXPECT_TRUE(cut.ends_with("bytes]")) << size << cut;
  }
  EXPECT_TRUE(is_valid_utf8(represent(std::string("\xE2\x82", 2), false, none)));
}

}  // namespace
}  // namespace perdure
