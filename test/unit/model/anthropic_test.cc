#include <gtest/gtest.h>

#include "base/json.h"
#include "messages.h"
#include "model/anthropic_codec.h"
#include "model/anthropic_errors.h"
#include "model/anthropic_request.h"
#include "model/anthropic_stream.h"

namespace perdure {
namespace {

using test::message;
using test::result;
using Stop = ModelAnswer::Stop;
using End = HttpResult::End;
using enum FailureClass;
const HttpHeaders kNoHeaders;

// --- requests

ModelConfig config(bool cache = false) {
  ModelConfig out;
  out.model = "m";
  out.max_output_tokens = 10;
  out.prompt_cache = cache;
  return out;
}

TEST(AnthropicRequest, ResultsOfATurnStandFirstInTheNextUserMessage) {
  ModelRequest request;
  request.messages = {message(Message::Role::kSystem, "Be kind."),
                      message(Message::Role::kUser, "hi")};
  Message& said = request.messages.emplace_back(message(Message::Role::kAssistant, "Looking. "));
  said.calls = {{"toolu_1", "shop.find", "{ \"a\" : 1 }"}, {"odd id!", "x", "{\"cut\":"}};
  request.messages.push_back(result("toolu_1", "found"));
  request.messages.push_back(result("odd id!", "no", true));
  request.messages.push_back(message(Message::Role::kUser, "and?"));
  request.tools = {{"shop.find", "Finds.", R"({"type":"object"})"}};
  const std::string body = encode_anthropic(request, config());
  EXPECT_EQ(body.substr(0, body.find(R"({"type":"tool_use","id":"call_)")),
            R"({"model":"m","max_tokens":10,"tools":[{"name":"shop__find","description":"Finds.",)"
            R"("input_schema":{"type":"object"}}],"system":[{"type":"text","text":"Be kind."}],)"
            R"("messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},)"
            R"({"role":"assistant","content":[{"type":"text","text":"Looking."},)"
            R"({"type":"tool_use","id":"toolu_1","name":"shop__find","input":{ "a" : 1 }},)");
  const json::value parsed = parse_json(body, "body").value();
  const json::array& messages = parsed.at("messages").as_array();
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[1].at("content").at(2).at("input").at("unreadable_arguments"), R"({"cut":)");
  const json::array& told = messages[2].at("content").as_array();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].at("type"), "tool_result");
  EXPECT_FALSE(told[0].as_object().contains("is_error"));
  EXPECT_EQ(told[1].at("is_error"), true);
  EXPECT_EQ(told[1].at("tool_use_id"), messages[1].at("content").at(2).at("id"));
  EXPECT_EQ(told[2].at("text"), "and?");
}

TEST(AnthropicRequest, RawItemsGoBackByteByByteAndOthersAreRendered) {
  const std::string items =
      R"([{"type":"thinking","thinking":"hm","signature":"s\/=="},{"type":"redacted_thinking","data":"x"}])";
  ModelRequest request;
  request.messages = {message(Message::Role::kUser, "hi"),
                      message(Message::Role::kAssistant, "text")};
  request.messages[1].raw = {"anthropic", items};
  request.messages.push_back(message(Message::Role::kUser, "go on"));
  EXPECT_NE(encode_anthropic(request, config(true)).find("[" + items.substr(1)), std::string::npos);
  request.messages[1].raw.dialect = "openai-responses";
  const std::string body = encode_anthropic(request, config());
  EXPECT_EQ(body.find("thinking"), std::string::npos);
  EXPECT_NE(body.find(R"("content":[{"type":"text","text":"text"}])"), std::string::npos);
}

TEST(AnthropicRequest, APausedAnswerIsTheLastMessageUnchanged) {
  ModelRequest request;
  request.messages = {message(Message::Role::kUser, "hi"), message(Message::Role::kAssistant, "")};
  request.messages[1].raw = {
      "anthropic", R"([{"type":"server_tool_use","id":"s","name":"web_search","input":{}}])"};
  const std::string body = encode_anthropic(request, config(true));
  EXPECT_NE(
      body.find(
          R"({"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}}]}])"),
      std::string::npos)
      << body;
}

// What the provider's cache compares: all that stands before a breakpoint, without the breakpoints.
std::string without_breakpoints(std::string body) {
  const std::string mark = R"(,"cache_control":{"type":"ephemeral"})";
  for (size_t at = body.find(mark); at != std::string::npos; at = body.find(mark)) {
    body.erase(at, mark.size());
  }
  return body;
}

TEST(AnthropicRequest, BreakpointsStandWhereTheLastRequestEnded) {
  ModelRequest request;
  request.messages = {message(Message::Role::kSystem, "s"), message(Message::Role::kUser, "one")};
  request.tools = {{"a", "", ""}, {"b", "", ""}};
  const std::string mark = R"("cache_control":{"type":"ephemeral"})";
  const std::string first = encode_anthropic(request, config(true));
  EXPECT_NE(first.find(R"({"name":"b","input_schema":{"type":"object"},)" + mark),
            std::string::npos);
  EXPECT_NE(first.find(R"({"type":"text","text":"s",)" + mark), std::string::npos);
  EXPECT_NE(first.find(R"({"type":"text","text":"one",)" + mark), std::string::npos);
  for (int turn = 0; turn < 3; ++turn) {
    request.messages.push_back(message(Message::Role::kAssistant, "answer"));
    request.messages.back().calls = {{"c" + std::to_string(turn), "a", "{}"}};
    request.messages.push_back(result("c" + std::to_string(turn), "done"));
  }
  const std::string later = encode_anthropic(request, config(true));
  size_t marks = 0;
  for (size_t at = later.find(mark); at != std::string::npos; at = later.find(mark, at + 1))
    ++marks;
  EXPECT_EQ(marks, 4u) << "the API allows four";
  const std::string plain = without_breakpoints(first);
  const size_t shared = plain.find("]}],\"stream\"");
  EXPECT_EQ(without_breakpoints(later).substr(0, shared), plain.substr(0, shared));
  EXPECT_EQ(encode_anthropic(request, config(false)), without_breakpoints(later));
}

TEST(AnthropicRequest, NeverSendsTextThatTheApiRefuses) {
  ModelRequest request;
  request.messages = {message(Message::Role::kUser, " \n"), message(Message::Role::kAssistant, ""),
                      message(Message::Role::kUser, "\xFF")};
  const auto body = parse_json(encode_anthropic(request, config()), "body");
  ASSERT_TRUE(body) << body.error().message;
  for (const json::value& message : body->at("messages").as_array()) {
    EXPECT_FALSE(message.at("content").at(0).at("text").as_string().empty());
    EXPECT_NE(message.at("content").at(0).at("text"), " \n");
  }
}

TEST(AnthropicCodec, KeysGoIntoTheirOwnHeader) {
  const AnthropicCodec codec;
  WireRequest wire = codec.encode({}, config());
  EXPECT_EQ(wire.path, "/v1/messages");
  ASSERT_TRUE(codec.authorize(wire, "", "key", config(), 0));
  EXPECT_EQ(wire.headers.back(), (std::pair<std::string, std::string>("x-api-key", "key")));
}

// --- answers

std::string event(const std::string& data) {
  return "event: x\ndata: " + data + "\n\n";
}
std::string start(const std::string& usage = R"({"input_tokens":7,"output_tokens":1})") {
  return event(R"({"type":"message_start","message":{"id":"msg_1","model":"m","usage":)" + usage +
               "}}");
}
std::string block(int index, const std::string& begin,
                  const std::vector<std::string>& deltas = {}) {
  const std::string at = R"("index":)" + std::to_string(index);
  std::string out =
      event(R"({"type":"content_block_start",)" + at + R"(,"content_block":)" + begin + "}");
  for (const std::string& delta : deltas) {
    out += event(R"({"type":"content_block_delta",)" + at + R"(,"delta":)" + delta + "}");
  }
  return out + event(R"({"type":"content_block_stop",)" + at + "}");
}
std::string text_block(int index, const std::string& text) {
  return block(index, R"({"type":"text","text":""})",
               {R"({"type":"text_delta","text":")" + text + R"("})"});
}
std::string call_block(int index, const std::string& id, const std::string& json) {
  std::string escaped;
  for (const char c : json) escaped += c == '"' ? std::string("\\\"") : std::string(1, c);
  return block(index, R"({"type":"tool_use","id":")" + id + R"(","name":"f","input":{}})",
               {R"({"type":"input_json_delta","partial_json":")" + escaped + R"("})"});
}
std::string end_with(const std::string& reason, const std::string& more = "") {
  return event(R"({"type":"message_delta","delta":{"stop_reason":")" + reason + "\"" + more +
               R"(},"usage":{"output_tokens":30}})") +
         event(R"({"type":"message_stop"})");
}

AnswerOrFailure read(const std::string& stream, End end = End::kComplete,
                     const HttpHeaders& headers = kNoHeaders) {
  AnthropicStream reader({});
  for (const char& c : stream) reader.feed({&c, 1});
  return reader.finish({.end = end, .headers = headers});
}

ModelAnswer answer_of(const std::string& stream) {
  const auto end = read(stream);
  EXPECT_TRUE(end.answer) << end.failure.detail;
  return end.answer.value_or(ModelAnswer{});
}

TEST(AnthropicStream, ThinkingAndItsSignatureStayWhole) {
  const ModelAnswer got = answer_of(
      start() +
      block(0, R"({"type":"thinking","thinking":"","signature":""})",
            {R"({"type":"thinking_delta","thinking":"I "})",
             R"({"type":"thinking_delta","thinking":"see"})",
             R"({"type":"signature_delta","signature":"EqQB/+=="})"}) +
      block(1, R"({"type":"redacted_thinking","data":"opaque"})") + text_block(2, "Yes.") +
      call_block(3, "toolu_1", R"({ "n" : 1.50 })") + end_with("tool_use"));
  EXPECT_EQ(got.text, "Yes.");
  ASSERT_EQ(got.calls.size(), 1u);
  EXPECT_EQ(got.calls[0].arguments, R"({ "n" : 1.50 })");
  EXPECT_EQ(got.stop, Stop::kToolCalls);
  EXPECT_EQ(got.raw.dialect, "anthropic");
  EXPECT_EQ(got.raw.items,
            R"([{"type":"thinking","thinking":"I see","signature":"EqQB/+=="},)"
            R"({"type":"redacted_thinking","data":"opaque"},{"type":"text","text":"Yes."},)"
            R"({"type":"tool_use","id":"toolu_1","name":"f","input":{ "n" : 1.50 }}])");
}

TEST(AnthropicStream, KeepsNoRawItemsWhereTheFieldsSayItAll) {
  EXPECT_EQ(
      answer_of(start() + text_block(0, "a") + call_block(1, "c", "{}") + end_with("tool_use"))
          .raw.items,
      "");
  EXPECT_NE(
      answer_of(start() + call_block(0, "c", "{}") + text_block(1, "a") + end_with("tool_use"))
          .raw.items,
      "");
}

TEST(AnthropicStream, Ends) {
  struct {
    std::string reason;
    Stop stop;
  } const rows[] = {
      {"end_turn", Stop::kEndTurn},     {"stop_sequence", Stop::kEndTurn},
      {"max_tokens", Stop::kTruncated}, {"pause_turn", Stop::kPaused},
      {"refusal", Stop::kRefusal},      {"model_context_window_exceeded", Stop::kContextOverflow}};
  for (const auto& row : rows) {
    EXPECT_EQ(answer_of(start() + text_block(0, "a") + end_with(row.reason)).stop, row.stop)
        << row.reason;
  }
}

TEST(AnthropicStream, ARefusalBehindTextSaysWhy) {
  const ModelAnswer got = answer_of(
      start() + text_block(0, "Well,") +
      end_with("refusal",
               R"(,"stop_details":{"type":"refusal","category":"bio","explanation":"No."})"));
  EXPECT_EQ(got.stop, Stop::kRefusal);
  EXPECT_EQ(got.text, "Well,");
  EXPECT_EQ(got.refusal, "No. (bio)");
}

TEST(AnthropicStream, UsageCountsWhatTheCacheReadAndWrote) {
  const ModelAnswer got = answer_of(
      start(
          R"({"input_tokens":7,"cache_creation_input_tokens":200,"cache_read_input_tokens":1000,"output_tokens":1})") +
      text_block(0, "a") +
      event(
          R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":30,"output_tokens_details":{"thinking_tokens":12}}})"));
  EXPECT_EQ(got.input_tokens, 1207);
  EXPECT_EQ(got.cached_input_tokens, 1000);
  EXPECT_EQ(got.cache_write_tokens, 200);
  EXPECT_EQ(got.output_tokens, 30);
  EXPECT_EQ(got.reasoning_tokens, 12);
}

TEST(AnthropicStream, BadAnswers) {
  struct {
    std::string what, stream;
    FailureClass failure;
    Outcome outcome;
    End end = End::kComplete;
  } const rows[] = {
      {"garbage", "hello", kMalformedOutput, Outcome::kInDoubt},
      {"an event that is no JSON", "data: {\n\n", kMalformedOutput, Outcome::kInDoubt},
      {"an event that is no object", "data: 5\n\n", kMalformedOutput, Outcome::kInDoubt},
      {"an empty body", "", kMalformedOutput, Outcome::kInDoubt},
      {"two calls with one id",
       start() + call_block(0, "a", "{}") + call_block(1, "a", "{}") + end_with("tool_use"),
       kMalformedOutput, Outcome::kInDoubt},
      {"a call without a name",
       start() + block(0, R"({"type":"tool_use","id":"a","input":{}})") + end_with("tool_use"),
       kMalformedOutput, Outcome::kInDoubt},
      {"no call where one is named", start() + text_block(0, "a") + end_with("tool_use"),
       kMalformedOutput, Outcome::kInDoubt},
      {"an end that nobody knows", start() + end_with("because"), kMalformedOutput,
       Outcome::kInDoubt},
      {"a piece of no block",
       start() +
           event(
               R"({"type":"content_block_delta","index":4,"delta":{"type":"text_delta","text":"a"}})"),
       kMalformedOutput, Outcome::kInDoubt},
      {"a second message behind text",
       start() + text_block(0, "a") + event(R"({"type":"message_start","message":{"id":"msg_2"}})"),
       kMalformedOutput, Outcome::kInDoubt},
      {"cut before its end", start() + text_block(0, "a"), kAmbiguous, Outcome::kInDoubt,
       End::kCut},
      {"ended before its end", start() + text_block(0, "a"), kAmbiguous, Outcome::kInDoubt},
      {"timed out", start(), kAmbiguous, Outcome::kInDoubt, End::kTimedOut},
      {"an error after 200",
       start() + text_block(0, "a") + "event: error\ndata: " +
           R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})" + "\n\n",
       kTransient, Outcome::kInDoubt},
      {"a rate limit after 200",
       "event: error\ndata: " +
           std::string(R"({"type":"error","error":{"type":"rate_limit_error","message":"m"}})") +
           "\n\n",
       kRateLimit, Outcome::kDeferred},
      {"an error object",
       R"({"type":"error","error":{"type":"invalid_request_error","message":"m"}})", kInvalid,
       Outcome::kFailed},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto got = read(row.stream, row.end);
    EXPECT_FALSE(got.answer);
    EXPECT_EQ(to_string(got.failure.failure), to_string(row.failure));
    EXPECT_EQ(to_string(got.failure.outcome), to_string(row.outcome));
    EXPECT_FALSE(got.failure.detail.empty());
  }
}

TEST(AnthropicStream, CutArgumentsAreKeptForTheAgentToRefuse) {
  const ModelAnswer got =
      answer_of(start() + call_block(0, "a", R"({"cut":)") + end_with("tool_use"));
  EXPECT_EQ(got.calls.at(0).arguments, R"({"cut":)");
}

TEST(AnthropicStream, LimitsHold) {
  AnthropicStream reader({}, {.text_bytes = 100, .calls = 2, .blocks = 3, .sse = {1000, 1000}});
  reader.feed(start() + text_block(0, std::string(90, 'x')) + end_with("end_turn"));
  EXPECT_EQ(reader.finish({.headers = kNoHeaders}).failure.failure, kMalformedOutput);
}

// --- errors: the table of the API, row by row

std::string body(std::string_view type, std::string_view message = "m") {
  return R"({"type":"error","error":{"type":")" + std::string(type) + R"(","message":")" +
         std::string(message) + R"("},"request_id":"req_1"})";
}

TEST(AnthropicErrors, Table) {
  const Outcome failed = Outcome::kFailed, doubt = Outcome::kInDoubt, deferred = Outcome::kDeferred;
  struct {
    int status;
    std::string body;
    HttpHeaders headers;
    FailureClass failure;
    Outcome outcome;
    int64_t retry_after_ms = 0;
  } const rows[] = {
      {400, body("invalid_request_error"), {}, kInvalid, failed},
      {400,
       body("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
       {},
       kContextOverflow,
       failed},
      {400,
       body("invalid_request_error",
            "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"),
       {},
       kContextOverflow,
       failed},
      {400,
       body("invalid_request_error", "Your credit balance is too low to access the API."),
       {},
       kQuota,
       failed},
      {400,
       body("invalid_request_error", "You have reached your specified API usage limits."),
       {},
       kQuota,
       failed},
      {400,
       body("invalid_request_error", "`tool_use` ids were found without `tool_result` blocks"),
       {},
       kInvalid,
       failed},
      {401, body("authentication_error"), {}, kAuth, failed},
      {402, body("billing_error"), {}, kQuota, failed},
      {403, body("permission_error"), {}, kAuth, failed},
      {404, body("not_found_error"), {}, kInvalid, failed},
      {408, "", {}, kTransient, doubt},
      {409, body("conflict_error"), {}, kTransient, doubt},
      {413, body("request_too_large"), {}, kTooLarge, failed},
      {422, "", {}, kInvalid, failed},
      {429, body("rate_limit_error"), {{"retry-after", "10800"}}, kRateLimit, deferred, 10'800'000},
      {429, body("rate_limit_error"), {{"retry-after-ms", "250"}}, kRateLimit, deferred, 250},
      {429,
       body("rate_limit_error"),
       {{"anthropic-ratelimit-tokens-remaining", "0"},
        {"anthropic-ratelimit-tokens-reset", "1970-01-01T00:00:07Z"},
        {"anthropic-ratelimit-requests-remaining", "4"},
        {"anthropic-ratelimit-requests-reset", "1970-01-01T01:00:00Z"}},
       kRateLimit,
       deferred,
       6000},
      {429, body("rate_limit_error"), {}, kQuota, failed},
      {429,
       body("rate_limit_error", "This request would exceed your spend limit"),
       {{"retry-after", "5"}},
       kQuota,
       failed,
       5000},
      {429, "", {}, kRateLimit, deferred},
      {500, body("api_error"), {}, kTransient, doubt},
      {504, body("timeout_error"), {}, kTransient, doubt},
      {529, body("overloaded_error"), {}, kTransient, doubt},
      {529, body("overloaded_error"), {{"retry-after", "3"}}, kTransient, doubt, 3000},
      {500, body("api_error"), {{"x-should-retry", "false"}}, kTransient, failed},
      {400, body("invalid_request_error"), {{"x-should-retry", "true"}}, kInvalid, deferred},
      {502, "<html>", {}, kTransient, doubt},
      {302, "", {{"location", "https://elsewhere"}}, kInvalid, failed},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(std::to_string(row.status) + " " + row.body);
    const CallFailure got =
        classify_anthropic(row.status, row.body, {.headers = row.headers, .now_ms = 1000});
    EXPECT_EQ(to_string(got.failure), to_string(row.failure));
    EXPECT_EQ(to_string(got.outcome), to_string(row.outcome));
    EXPECT_EQ(got.retry_after_ms, row.retry_after_ms);
    EXPECT_FALSE(got.detail.empty());
  }
}

TEST(AnthropicErrors, Details) {
  EXPECT_EQ(
      classify_anthropic(400, body("invalid_request_error", "bad"), {.headers = kNoHeaders}).detail,
      "HTTP 400 invalid_request_error: bad (request id req_1)");
}

}  // namespace
}  // namespace perdure
