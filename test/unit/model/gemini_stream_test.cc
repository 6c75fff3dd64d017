#include "model/gemini_stream.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

using HttpEnd = HttpResult::End;
using Stop = ModelAnswer::Stop;
const HttpHeaders kNoHeaders;

// Pieces of one candidate's parts, each an event.
std::string parts(std::string_view list) {
  return R"(data: {"candidates":[{"content":{"role":"model","parts":[)" + std::string(list) +
         R"(]},"index":0}],"modelVersion":"g-1","responseId":"r"})"
         "\r\n\r\n";
}

const std::string kStop =
    R"(data: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,)"
    R"("candidatesTokenCount":5,"thoughtsTokenCount":7,"cachedContentTokenCount":4,)"
    R"("toolUsePromptTokenCount":2,"totalTokenCount":24}})"
    "\r\n\r\n";

AnswerOrFailure read(std::string_view bytes, HttpEnd end = HttpEnd::kComplete,
                     AnswerLimits limits = {}) {
  std::string deltas;
  GeminiStream stream({[&](std::string_view text) { deltas += text; }}, limits);
  stream.feed(bytes);
  auto out = stream.finish({end, "", kNoHeaders, 0});
  if (out.answer) EXPECT_EQ(deltas, out.answer->text);
  return out;
}

TEST(GeminiStream, Text) {
  const auto got = read(parts(R"({"text":"Hel"})") + parts(R"({"text":"lo"})") + kStop);
  ASSERT_TRUE(got.answer) << got.failure.detail;
  EXPECT_EQ(got.answer->text, "Hello");
  EXPECT_EQ(got.answer->stop, Stop::kEndTurn);
  EXPECT_EQ(got.answer->model, "g-1");
  EXPECT_EQ(got.answer->response_id, "r");
  EXPECT_EQ(got.answer->input_tokens, 12);
  EXPECT_EQ(got.answer->cached_input_tokens, 4);
  EXPECT_EQ(got.answer->reasoning_tokens, 7);
  EXPECT_EQ(got.answer->output_tokens, 12);
  EXPECT_EQ(got.answer->raw.dialect, "") << "plain text needs no parts beside it";
}

TEST(GeminiStream, SignaturesStayOnTheirParts) {
  const auto got =
      read(parts(R"({"text":"Hm","thought":true})") + parts(R"({"text":", hm","thought":true})") +
           parts(R"({"text":"I "})") + parts(R"({"text":"look"})") +
           parts(R"({"text":"","thoughtSignature":"c2lnMQ=="})") +
           parts(R"({"functionCall":{"name":"f","args":{"b":1,"a":[2]}},)"
                 R"("thoughtSignature":"c2lnMg=="})") +
           kStop);
  ASSERT_TRUE(got.answer) << got.failure.detail;
  EXPECT_EQ(got.answer->text, "I look");
  EXPECT_EQ(got.answer->raw.dialect, "gemini");
  EXPECT_EQ(
      got.answer->raw.items,
      R"([{"text":"Hm, hm","thought":true},{"text":"I look"},)"
      R"({"text":"","thoughtSignature":"c2lnMQ=="},)"
      R"({"functionCall":{"name":"f","args":{"b":1,"a":[2]}},"thoughtSignature":"c2lnMg=="}])");
}

TEST(GeminiStream, CallsEndWithAnyReason) {
  const auto got = read(parts(R"({"functionCall":{"id":"x","name":"f","args":{"b":1,"a":2.5}}},)"
                              R"({"functionCall":{"name":"g"}},{"functionCall":{"name":"g"}})") +
                        kStop);
  ASSERT_TRUE(got.answer) << got.failure.detail;
  EXPECT_EQ(got.answer->stop, Stop::kToolCalls);
  ASSERT_EQ(got.answer->calls.size(), 3u);
  EXPECT_EQ(got.answer->calls[0].id, "x");
  EXPECT_EQ(got.answer->calls[0].arguments, R"({"b":1,"a":2.5E0})");
  EXPECT_EQ(got.answer->calls[1].name, "g");
  EXPECT_EQ(got.answer->calls[1].arguments, "{}");
  EXPECT_TRUE(got.answer->calls[1].id.starts_with("call_"));
  EXPECT_NE(got.answer->calls[1].id, got.answer->calls[2].id);
  EXPECT_EQ(read(parts(R"({"functionCall":{"name":"g"}})") + kStop).answer->calls[0].id,
            read(parts(R"({"functionCall":{"name":"g"}})") + kStop).answer->calls[0].id)
      << "a repeat is given the same id";
}

TEST(GeminiStream, RefusalAfterText) {
  const auto got = read(parts(R"({"text":"First you take "})") +
                        R"(data: {"candidates":[{"finishReason":"SAFETY"}]})" + "\n\n");
  ASSERT_TRUE(got.answer);
  EXPECT_EQ(got.answer->stop, Stop::kRefusal);
  EXPECT_EQ(got.answer->text, "First you take ");
  EXPECT_EQ(got.answer->refusal, "the answer was stopped: SAFETY");
}

TEST(GeminiStream, KeepsPartsThatItDoesNotKnow) {
  const auto got = read(parts(R"({"executableCode":{"code":"1+1"}},{"text":"2"})") + kStop);
  ASSERT_TRUE(got.answer);
  EXPECT_EQ(got.answer->text, "2");
  EXPECT_EQ(got.answer->raw.items, R"([{"executableCode":{"code":"1+1"}},{"text":"2"}])");
}

TEST(GeminiStream, AWholeObject) {
  const auto got = read(R"({"candidates":[{"content":{"parts":[{"text":"x"}]},)"
                        R"("finishReason":"STOP"}]})");
  ASSERT_TRUE(got.answer) << got.failure.detail;
  EXPECT_EQ(got.answer->text, "x");
  EXPECT_EQ(got.answer->input_tokens, -1);
}

TEST(GeminiStream, NoAnswers) {
  struct {
    std::string bytes;
    HttpEnd end;
    FailureClass failure;
  } const rows[] = {
      {"", HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {"<html>busy</html>", HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {"data: nonsense\n\n", HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {"data: [1]\n\n", HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {parts(R"({"text":"x"})"), HttpEnd::kComplete, FailureClass::kAmbiguous},
      {parts(R"({"text":"x"})"), HttpEnd::kCut, FailureClass::kAmbiguous},
      {parts(R"({"text":"x"})"), HttpEnd::kTimedOut, FailureClass::kAmbiguous},
      {parts(R"({"functionCall":{"args":{}}})") + kStop, HttpEnd::kComplete,
       FailureClass::kMalformedOutput},
      {parts(R"({"functionCall":{"id":"x","name":"f"}},{"functionCall":{"id":"x","name":"g"}})") +
           kStop,
       HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {parts(R"({"functionCall":{"name":"f","willContinue":true}})") + kStop, HttpEnd::kComplete,
       FailureClass::kMalformedOutput},
      {kStop + parts(R"({"text":"x"})"), HttpEnd::kCut, FailureClass::kAmbiguous},
  };
  for (const auto& row : rows) {
    const auto got = read(row.bytes, row.end);
    EXPECT_FALSE(got.answer) << row.bytes;
    EXPECT_EQ(got.failure.failure, row.failure) << row.bytes << ": " << got.failure.detail;
    EXPECT_EQ(got.failure.outcome, Outcome::kInDoubt) << row.bytes;
  }
}

TEST(GeminiStream, IsBounded) {
  const AnswerLimits limits{.text_bytes = 100, .calls = 2, .sse = {1 << 16, 1 << 16}};
  const std::string call = R"({"functionCall":{"name":"f"}})";
  EXPECT_TRUE(read(parts(call + "," + call) + kStop, HttpEnd::kComplete,
                   {.text_bytes = 1000, .calls = 2, .sse = {}})
                  .answer);
  for (const std::string& body :
       {parts(R"({"text":")" + std::string(101, 'x') + R"("})"),
        parts(call + "," + call + "," + call),
        parts(R"({"text":"x","thought":true,"thoughtSignature":")" + std::string(101, 'x') + "\"}"),
        parts(R"({"inlineData":{"data":")" + std::string(101, 'x') + R"("}})")}) {
    const auto got = read(body + kStop, HttpEnd::kComplete, limits);
    EXPECT_EQ(got.failure.failure, FailureClass::kMalformedOutput) << body;
  }
}

}  // namespace
}  // namespace perdure
