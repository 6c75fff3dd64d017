#include <gtest/gtest.h>

#include "model/openai_chat_stream.h"

namespace perdure {
namespace {

using Stop = ModelAnswer::Stop;
using HttpEnd = HttpResult::End;
const HttpHeaders kNoHeaders;

struct Read {
  AnswerOrFailure end;
  std::string deltas;
};

Read read(const std::vector<std::string>& pieces, HttpEnd http_end = HttpEnd::kComplete,
          AnswerLimits limits = {}) {
  Read out;
  OpenAiChatStream stream({[&](std::string_view text) { out.deltas += text; }}, limits);
  for (const std::string& piece : pieces) stream.feed(piece);
  out.end = stream.finish({.end = http_end, .detail = "", .headers = kNoHeaders});
  return out;
}

std::string events(const std::vector<std::string>& chunks, bool done = true) {
  std::string out;
  for (const std::string& chunk : chunks) out += "data: " + chunk + "\n\n";
  if (done) out += "data: [DONE]\n\n";
  return out;
}

std::string delta(const std::string& members, const std::string& finish = "null") {
  return R"({"id":"r1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{)" +
         members + R"(},"finish_reason":)" + finish + "}]}";
}

std::string calls(const std::string& items, const std::string& finish = "null") {
  return delta(R"("tool_calls":[)" + items + "]", finish);
}

const std::string kUsage =
    R"({"id":"r1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}})";

ModelAnswer answer_of(const std::vector<std::string>& chunks) {
  const Read got = read({events(chunks)});
  EXPECT_TRUE(got.end.answer) << got.end.failure.detail;
  return got.end.answer.value_or(ModelAnswer{});
}

TEST(AnswerAssembly, TokensThatNobodyCanHaveUsedAreUnknown) {
  const std::string absurd =
      R"({"id":"r1","choices":[],"usage":{"prompt_tokens":9000000000000000000,)"
      R"("completion_tokens":2000000000,"total_tokens":9000000000000000000}})";
  const ModelAnswer answer = answer_of({delta(R"("content":"hi")", R"("stop")"), absurd});
  EXPECT_EQ(answer.input_tokens, ModelAnswer{}.input_tokens);
  EXPECT_EQ(answer.output_tokens, ModelAnswer{}.output_tokens);
}

FailureClass failure_of(const std::vector<std::string>& chunks) {
  const Read got = read({events(chunks)});
  EXPECT_FALSE(got.end.answer);
  return got.end.failure.failure;
}

TEST(OpenAiChatStream, Text) {
  const Read got =
      read({events({delta(R"("role":"assistant","content":"")"), delta(R"("content":"Hel")"),
                    delta(R"("content":"lo")"), delta("", R"("stop")"), kUsage})});
  ASSERT_TRUE(got.end.answer) << got.end.failure.detail;
  EXPECT_EQ(got.end.answer->text, "Hello");
  EXPECT_EQ(got.deltas, "Hello");
  EXPECT_EQ(got.end.answer->stop, Stop::kEndTurn);
  EXPECT_EQ(got.end.answer->model, "m");
  EXPECT_EQ(got.end.answer->response_id, "r1");
  EXPECT_EQ(got.end.answer->input_tokens, 7);
  EXPECT_EQ(got.end.answer->output_tokens, 3);
}

TEST(OpenAiChatStream, ToolCallsByIndex) {
  const ModelAnswer got = answer_of({
      calls(R"({"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}})"),
      calls(R"({"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}})"),
      calls(R"({"index":0,"function":{"arguments":"{\"x\": "}})"),
      calls(R"({"index":0,"function":{"name":"","arguments":"1}"}})"),
      delta("", R"("tool_calls")"),
  });
  ASSERT_EQ(got.calls.size(), 2u);
  EXPECT_EQ(got.calls[0].arguments, R"({"x": 1})");
  EXPECT_EQ(got.calls[1].id, "b");
  EXPECT_EQ(got.calls[1].name, "g");
  EXPECT_EQ(got.stop, Stop::kToolCalls);
  EXPECT_EQ(got.input_tokens, -1);
}

TEST(OpenAiChatStream, ToolCallsWithoutIndex) {
  const ModelAnswer got = answer_of({
      calls(R"({"id":"a","function":{"name":"f","arguments":"{\"x\""}})"),
      calls(R"({"function":{"arguments":":1}"}})"),
      calls(R"({"id":"b","function":{"name":"f","arguments":"{}"}})", R"("tool_calls")"),
  });
  ASSERT_EQ(got.calls.size(), 2u);
  EXPECT_EQ(got.calls[0].arguments, R"({"x":1})");
  EXPECT_EQ(got.calls[1].id, "b");
}

TEST(OpenAiChatStream, WholeCallsWithoutIds) {
  const std::vector<std::string> chunks = {calls(
      R"({"function":{"name":"f","arguments":"{}"}},{"function":{"name":"f","arguments":"{}"}})",
      R"("stop")")};
  const ModelAnswer got = answer_of(chunks);
  ASSERT_EQ(got.calls.size(), 2u);
  EXPECT_NE(got.calls[0].id, got.calls[1].id);
  EXPECT_EQ(got.calls[0].id, answer_of(chunks).calls[0].id);
  EXPECT_EQ(got.stop, Stop::kToolCalls);
}

TEST(OpenAiChatStream, EveryCallAtIndexZero) {
  const ModelAnswer got = answer_of({
      calls(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})"),
      calls(R"({"index":0,"id":"b","function":{"name":"g","arguments":"{\"y\""}})"),
      calls(R"({"index":0,"id":"b","function":{"arguments":":2}"}})"),
      delta("", R"("tool_calls")"),
  });
  ASSERT_EQ(got.calls.size(), 2u);
  EXPECT_EQ(got.calls[0].arguments, "{}");
  EXPECT_EQ(got.calls[1].arguments, R"({"y":2})");
}

TEST(OpenAiChatStream, ArgumentsAsAnObject) {
  const ModelAnswer got = answer_of(
      {calls(R"({"id":"a","function":{"name":"f","arguments":{"x":[1,2]}}})", R"("tool_calls")")});
  EXPECT_EQ(got.calls.at(0).arguments, R"({"x":[1,2]})");
}

TEST(OpenAiChatStream, CallsThatCannotBeTrusted) {
  const std::string a0 = R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})";
  const std::string a1 = R"({"index":1,"id":"a","function":{"name":"g","arguments":"{}"}})";
  const std::string fin = R"("tool_calls")";
  EXPECT_EQ(failure_of({calls(a0), calls(a1, fin)}), FailureClass::kMalformedOutput);
  EXPECT_EQ(failure_of({calls(R"({"id":"a","function":{"name":"f"}})"),
                        calls(R"({"id":"a","function":{"name":"f"}})", fin)}),
            FailureClass::kMalformedOutput);
  EXPECT_EQ(failure_of({calls(R"({"index":0,"id":"a"})", fin)}), FailureClass::kMalformedOutput);
  EXPECT_EQ(failure_of({calls(R"({"index":0,"function":{"arguments":"{}"}})", fin)}),
            FailureClass::kMalformedOutput);
  EXPECT_EQ(failure_of({calls(a0), calls(R"({"index":0,"id":"b"})", fin)}),
            FailureClass::kMalformedOutput);
  EXPECT_EQ(failure_of({delta("", fin)}), FailureClass::kMalformedOutput);
}

TEST(OpenAiChatStream, FinishReasons) {
  struct {
    std::string reason;
    Stop stop;
  } const rows[] = {{"stop", Stop::kEndTurn},
                    {"length", Stop::kTruncated},
                    {"content_filter", Stop::kRefusal},
                    {"eos", Stop::kEndTurn},
                    {"model_length", Stop::kTruncated}};
  for (const auto& row : rows) {
    EXPECT_EQ(answer_of({delta(R"("content":"x")", '"' + row.reason + '"')}).stop, row.stop)
        << row.reason;
  }
  EXPECT_EQ(failure_of({delta("", R"("cosmic_ray")")}), FailureClass::kMalformedOutput);
}

TEST(OpenAiChatStream, RefusalBehindText) {
  const ModelAnswer got =
      answer_of({delta(R"("content":"Well, ")"), delta(R"("content":null,"refusal":"I can")"),
                 delta(R"("refusal":"not.")"), delta("", R"("stop")")});
  EXPECT_EQ(got.text, "Well, ");
  EXPECT_EQ(got.refusal, "I cannot.");
  EXPECT_EQ(got.stop, Stop::kRefusal);
}

TEST(OpenAiChatStream, ReasoningIsNotText) {
  EXPECT_EQ(
      answer_of({delta(R"("reasoning_content":"hm","content":null)"), delta(R"("reasoning":"hm")"),
                 delta(R"("content":[{"type":"thinking","thinking":[{"text":"hm"}]},)"
                       R"({"type":"text","text":"4"}])"),
                 delta("", R"("stop")")})
          .text,
      "4");
}

TEST(OpenAiChatStream, ErrorsInsideTheStream) {
  const std::string text = delta(R"("content":"x")");
  for (
      const std::string& stream :
      {events({text, R"({"error":{"message":"m","code":"rate_limit_exceeded"}})"}),
       events({text, R"({"type":"error","code":"rate_limit_exceeded","message":"m"})"}),
       "event: error\ndata: {\"code\":\"rate_limit_exceeded\"}\n\n" + events({}),
       events(
           {R"({"choices":[{"index":0,"delta":{},"error":{"code":429},"finish_reason":"error"}]})"}),
       std::string(R"({"error":{"code":"rate_limit_exceeded"}})")}) {
    const Read got = read({stream});
    ASSERT_FALSE(got.end.answer);
    EXPECT_EQ(got.end.failure.failure, FailureClass::kRateLimit) << stream;
    EXPECT_EQ(got.end.failure.outcome, Outcome::kDeferred);
  }
}

TEST(OpenAiChatStream, AnErrorStandsWhereverTheStreamWasCut) {
  const std::string stream =
      events({delta(R"("content":"x")"), R"({"error":{"code":"insufficient_quota"}})"}, false);
  EXPECT_EQ(read({stream}, HttpEnd::kCut).end.failure.failure, FailureClass::kQuota);
}

TEST(OpenAiChatStream, CutStreams) {
  const std::string text = delta(R"("content":"x")");
  const std::string fin = delta("", R"("stop")");
  // Before the finish_reason: nobody knows.
  EXPECT_EQ(read({events({text}, false)}, HttpEnd::kCut).end.failure.failure,
            FailureClass::kAmbiguous);
  EXPECT_EQ(read({events({text}, false)}).end.failure.failure, FailureClass::kAmbiguous);
  EXPECT_EQ(read({events({text}, false)}, HttpEnd::kTimedOut).end.failure.outcome,
            Outcome::kInDoubt);
  EXPECT_EQ(read({events({text})}).end.failure.failure, FailureClass::kMalformedOutput);
  // Behind it, all is there.
  EXPECT_TRUE(read({events({text, fin}, false)}, HttpEnd::kCut).end.answer);
  EXPECT_TRUE(read({events({text, fin}, false)}).end.answer);
  EXPECT_TRUE(read({events({text, fin})}, HttpEnd::kTimedOut).end.answer);
  // Unless the server showed that its finish_reason does not mean that.
  EXPECT_FALSE(read({events({text, fin, text}, false)}, HttpEnd::kCut).end.answer);
  EXPECT_EQ(read({events({text, fin, text})}).end.answer->text, "xx");
}

TEST(OpenAiChatStream, AServerThatIgnoresStream) {
  const std::string body =
      R"( {"id":"r9","object":"chat.completion","model":"m","choices":[{"index":0,"message":)"
      R"({"role":"assistant","content":"Hi","tool_calls":[{"id":"a","type":"function",)"
      R"("function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],)"
      R"("usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})";
  for (size_t at = 0; at <= body.size(); ++at) {
    const Read got = read({body.substr(0, at), body.substr(at)});
    ASSERT_TRUE(got.end.answer) << got.end.failure.detail;
    EXPECT_EQ(got.end.answer->text, "Hi");
    EXPECT_EQ(got.deltas, "Hi");
    EXPECT_EQ(got.end.answer->calls.size(), 1u);
    EXPECT_EQ(got.end.answer->output_tokens, 2);
  }
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(read({body.substr(0, size)}, HttpEnd::kCut).end.answer) << size;
    EXPECT_FALSE(read({body.substr(0, size)}).end.answer) << size;
  }
}

TEST(OpenAiChatStream, Garbage) {
  for (const std::string& body :
       {std::string(), std::string("hello"), std::string("{}"), std::string("{\"a\":"),
        std::string("<html></html>\n\n"), std::string("data: nonsense\n\n"),
        std::string("data: [1,2]\n\n"), std::string("[1]"), std::string(1000, '\0'),
        std::string("data: {\"choices\":7}\n\ndata: [DONE]\n\n")}) {
    const Read got = read({body});
    EXPECT_FALSE(got.end.answer) << body;
    EXPECT_EQ(got.end.failure.failure, FailureClass::kMalformedOutput) << body;
    EXPECT_EQ(got.end.failure.outcome, Outcome::kInDoubt);
  }
}

TEST(OpenAiChatStream, OddMembersAreNotTrusted) {
  const Read got = read({events(
      {R"({"choices":[7,{"index":"0","delta":7},{"index":1,"delta":{"content":"no"}}],"usage":7})",
       R"({"choices":[{"delta":{"content":7,"tool_calls":[7,{}]},"finish_reason":7}],"usage":{"prompt_tokens":-1}})"})});
  EXPECT_FALSE(got.end.answer);
}

TEST(OpenAiChatStream, IsBounded) {
  const AnswerLimits limits{.text_bytes = 10, .calls = 1, .sse = {4096, 4096}};
  const std::string fin = delta("", R"("stop")");
  const std::string four = delta(R"("content":"1234")");
  EXPECT_TRUE(read({events({four, four, fin})}, HttpEnd::kComplete, limits).end.answer);
  const Read large = read({events({four, four, four, fin})}, HttpEnd::kComplete, limits);
  EXPECT_EQ(large.end.failure.failure, FailureClass::kMalformedOutput);
  EXPECT_EQ(large.deltas, "12341234");
  const std::string two =
      calls(R"({"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"f"}})");
  EXPECT_FALSE(read({events({two, fin})}, HttpEnd::kComplete, limits).end.answer);
  EXPECT_FALSE(read({"data: " + std::string(5000, 'x')}, HttpEnd::kComplete, limits).end.answer);
  EXPECT_FALSE(read({"{" + std::string(5000, ' ') + "}"}, HttpEnd::kComplete, limits).end.answer);
}

}  // namespace
}  // namespace perdure
