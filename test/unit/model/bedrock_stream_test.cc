#include "model/bedrock_stream.h"

#include <gtest/gtest.h>

#include "aws_event_messages.h"

namespace perdure {
namespace {

using HttpEnd = HttpResult::End;
using Stop = ModelAnswer::Stop;
using test::aws_event;

std::string text(int index, std::string_view piece) {
  return aws_event("contentBlockDelta", R"({"contentBlockIndex":)" + std::to_string(index) +
                                            R"(,"delta":{"text":")" + std::string(piece) + "\"}}");
}
std::string start_call(int index, std::string_view id, std::string_view name) {
  return aws_event("contentBlockStart", R"({"contentBlockIndex":)" + std::to_string(index) +
                                            R"(,"start":{"toolUse":{"toolUseId":")" +
                                            std::string(id) + R"(","name":")" + std::string(name) +
                                            R"("}}})");
}
std::string input(int index, std::string_view escaped) {
  return aws_event("contentBlockDelta", R"({"contentBlockIndex":)" + std::to_string(index) +
                                            R"(,"delta":{"toolUse":{"input":")" +
                                            std::string(escaped) + "\"}}}");
}
std::string reasoning(int index, std::string_view member, std::string_view value) {
  return aws_event("contentBlockDelta", R"({"contentBlockIndex":)" + std::to_string(index) +
                                            R"(,"delta":{"reasoningContent":{")" +
                                            std::string(member) + R"(":")" + std::string(value) +
                                            "\"}}}");
}
std::string stop(std::string_view reason) {
  return aws_event("messageStop", R"({"stopReason":")" + std::string(reason) + "\"}");
}
const std::string kUsage =
    aws_event("metadata", R"({"usage":{"inputTokens":10,"outputTokens":5,"totalTokens":22,)"
                          R"("cacheReadInputTokens":4,"cacheWriteInputTokens":3}})");

AnswerOrFailure read(std::string_view bytes, HttpEnd end = HttpEnd::kComplete,
                     AnswerLimits limits = {}) {
  std::string deltas;
  BedrockStream stream({[&](std::string_view piece) { deltas += piece; }}, limits);
  stream.feed(bytes);
  const HttpHeaders headers = {{"x-amzn-requestid", "r-1"}};
  auto out = stream.finish({end, "", headers, 0});
  if (out.answer) EXPECT_EQ(deltas, out.answer->text);
  return out;
}

TEST(BedrockStream, Text) {
  const auto got = read(aws_event("messageStart", R"({"role":"assistant"})") + text(0, "Hel") +
                        text(0, "lo") + stop("end_turn") + kUsage);
  ASSERT_TRUE(got.answer) << got.failure.detail;
  EXPECT_EQ(got.answer->text, "Hello");
  EXPECT_EQ(got.answer->stop, Stop::kEndTurn);
  EXPECT_EQ(got.answer->response_id, "r-1");
  EXPECT_EQ(got.answer->input_tokens, 17);
  EXPECT_EQ(got.answer->cached_input_tokens, 4);
  EXPECT_EQ(got.answer->cache_write_tokens, 3);
  EXPECT_EQ(got.answer->output_tokens, 5);
  EXPECT_EQ(got.answer->raw.dialect, "");
}

TEST(BedrockStream, ReasoningGoesBackInItsPlace) {
  const auto got =
      read(reasoning(0, "text", "Hm, ") + reasoning(0, "text", "hm") +
           reasoning(0, "signature", "c2ln") + reasoning(1, "redactedContent", "AA==") +
           text(2, "I look") + start_call(3, "t1", "f") + input(3, R"({\"a\":)") + input(3, "1}") +
           stop("tool_use"));
  ASSERT_TRUE(got.answer) << got.failure.detail;
  EXPECT_EQ(got.answer->text, "I look");
  EXPECT_EQ(got.answer->raw.dialect, "bedrock");
  EXPECT_EQ(got.answer->raw.items,
            R"([{"reasoningContent":{"reasoningText":{"text":"Hm, hm","signature":"c2ln"}}},)"
            R"({"reasoningContent":{"redactedContent":"AA=="}},{"text":"I look"},)"
            R"({"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}}])");
}

TEST(BedrockStream, StopReasons) {
  struct {
    std::string_view reason;
    std::optional<Stop> stop;
  } const rows[] = {
      {"end_turn", Stop::kEndTurn},
      {"stop_sequence", Stop::kEndTurn},
      {"max_tokens", Stop::kTruncated},
      {"guardrail_intervened", Stop::kRefusal},
      {"content_filtered", Stop::kRefusal},
      {"model_context_window_exceeded", Stop::kContextOverflow},
      {"malformed_model_output", {}},
      {"malformed_tool_use", {}},
      {"a_new_reason", {}},
      {"tool_use", {}},  // and there are none
  };
  for (const auto& row : rows) {
    const auto got = read(text(0, "Well") + stop(row.reason));
    ASSERT_EQ(got.answer.has_value(), row.stop.has_value()) << row.reason;
    if (!got.answer) {
      EXPECT_EQ(got.failure.failure, FailureClass::kMalformedOutput) << row.reason;
      continue;
    }
    EXPECT_EQ(got.answer->stop, *row.stop) << row.reason;
    EXPECT_EQ(got.answer->refusal.empty(), *row.stop != Stop::kRefusal) << row.reason;
    EXPECT_EQ(got.answer->text, "Well");
    EXPECT_EQ(got.answer->input_tokens, -1);
  }
}

TEST(BedrockStream, NoAnswers) {
  const std::string whole = text(0, "x") + stop("end_turn");
  std::string flipped = whole;
  flipped[40] = static_cast<char>(flipped[40] ^ 1);
  struct {
    std::string bytes;
    HttpEnd end;
    FailureClass failure;
  } const rows[] = {
      {"", HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {R"({"message":"I am JSON"})", HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {flipped, HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {text(0, "x"), HttpEnd::kComplete, FailureClass::kAmbiguous},
      {text(0, "x"), HttpEnd::kCut, FailureClass::kAmbiguous},
      {whole.substr(0, whole.size() - 1), HttpEnd::kTimedOut, FailureClass::kAmbiguous},
      {aws_event("contentBlockDelta", "nonsense") + whole, HttpEnd::kComplete,
       FailureClass::kMalformedOutput},
      {aws_event("contentBlockDelta", R"({"delta":{"text":"x"}})") + whole, HttpEnd::kComplete,
       FailureClass::kMalformedOutput},
      {input(0, "{}") + stop("tool_use"), HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {start_call(0, "a", "f") + start_call(1, "a", "g") + stop("tool_use"), HttpEnd::kComplete,
       FailureClass::kMalformedOutput},
      {start_call(0, "", "f") + stop("tool_use"), HttpEnd::kComplete,
       FailureClass::kMalformedOutput},
      {start_call(0, "a", "f") + start_call(0, "b", "f") + stop("tool_use"), HttpEnd::kComplete,
       FailureClass::kMalformedOutput},
      {whole + text(0, "more"), HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {aws_event("messageStop", "{}"), HttpEnd::kComplete, FailureClass::kMalformedOutput},
      {text(0, "x") + test::aws_exception("throttlingException", R"({"message":"slow"})"),
       HttpEnd::kComplete, FailureClass::kRateLimit},
      {text(0, "x") + test::aws_exception("modelStreamErrorException", "no json"), HttpEnd::kCut,
       FailureClass::kTransient},
  };
  for (const auto& row : rows) {
    const auto got = read(row.bytes, row.end);
    EXPECT_FALSE(got.answer) << row.bytes;
    EXPECT_EQ(got.failure.failure, row.failure) << row.bytes << ": " << got.failure.detail;
  }
}

// The agent tells the model what was wrong with them.
TEST(BedrockStream, CutArgumentsStayAsTheyCame) {
  const auto got = read(start_call(0, "a", "f") + input(0, R"({\"x\":)") + stop("tool_use"));
  ASSERT_TRUE(got.answer);
  EXPECT_EQ(got.answer->calls[0].arguments, R"({"x":)");
}

TEST(BedrockStream, IsBounded) {
  const AnswerLimits limits{.text_bytes = 100, .calls = 2, .sse = {1 << 16, 1 << 16}};
  std::string blocks;
  for (int i = 0; i < 5; ++i) blocks += text(i, "");
  std::string calls;
  for (int i = 0; i < 3; ++i) calls += start_call(i, std::to_string(i), "f");
  for (const std::string& body : {text(0, std::string(101, 'x')), calls, blocks,
                                  start_call(0, "a", "f") + input(0, std::string(101, 'x')),
                                  reasoning(0, "signature", std::string(101, 'x'))}) {
    EXPECT_EQ(read(body + stop("end_turn"), HttpEnd::kComplete, limits).failure.failure,
              FailureClass::kMalformedOutput);
  }
}

}  // namespace
}  // namespace perdure
