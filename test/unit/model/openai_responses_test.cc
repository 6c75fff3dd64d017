#include <gtest/gtest.h>

#include "base/json.h"
#include "messages.h"
#include "model/openai_errors.h"
#include "model/openai_responses_codec.h"
#include "model/openai_responses_request.h"
#include "model/openai_responses_stream.h"

namespace perdure {
namespace {

using test::message;
using Stop = ModelAnswer::Stop;
using End = HttpResult::End;
using enum FailureClass;
const HttpHeaders kNoHeaders;

ModelConfig config() {
  ModelConfig out;
  out.model = "m";
  out.max_output_tokens = 10;
  return out;
}

TEST(OpenAiResponsesRequest, EveryKindOfMessage) {
  ModelRequest request;
  request.messages = {message(Message::Role::kSystem, "s"), message(Message::Role::kUser, "hi"),
                      message(Message::Role::kAssistant, "Looking.")};
  request.messages[2].calls = {{"call_1", "shop.find", "{ \"a\" : 1 }"}};
  request.messages.push_back(message(Message::Role::kTool, "found"));
  request.messages[3].call_id = "call_1";
  request.tools = {{"shop.find", "Finds.", R"({"type":"object"})"}};
  EXPECT_EQ(
      encode_openai_responses(request, config()),
      R"({"model":"m","input":[{"role":"system","content":"s"},{"role":"user","content":"hi"},)"
      R"({"role":"assistant","content":"Looking."},)"
      R"({"type":"function_call","call_id":"call_1","name":"shop__find","arguments":"{ \"a\" : 1 }"},)"
      R"({"type":"function_call_output","call_id":"call_1","output":"found"}],)"
      R"("tools":[{"type":"function","name":"shop__find","description":"Finds.","parameters":{"type":"object"},"strict":false}],)"
      R"("max_output_tokens":10,"stream":true,"store":false,"include":["reasoning.encrypted_content"]})");
}

TEST(OpenAiResponsesRequest, RawItemsGoBackByteByByteAndOthersAreRendered) {
  ModelRequest request;
  request.messages = {message(Message::Role::kUser, "hi"),
                      message(Message::Role::kAssistant, "text")};
  request.messages[1].raw = {"openai-responses",
                             R"([{"type":"reasoning","id":"rs_1","encrypted_content":"g\/A=="}])"};
  EXPECT_NE(encode_openai_responses(request, config())
                .find(R"(},{"type":"reasoning","id":"rs_1","encrypted_content":"g\/A=="}],)"),
            std::string::npos);
  request.messages[1].raw.dialect = "anthropic";
  EXPECT_NE(
      encode_openai_responses(request, config()).find(R"({"role":"assistant","content":"text"}])"),
      std::string::npos);
}

TEST(OpenAiResponsesRequest, ABackgroundResponseIsKeptToBeFetched) {
  ModelConfig background = config();
  background.background = true;
  const std::string body = encode_openai_responses({}, background);
  EXPECT_NE(body.find(R"("stream":true,"background":true,"store":true)"), std::string::npos);
}

std::string event(const std::string& data) {
  return "event: x\ndata: " + data + "\n\n";
}
std::string response(const std::string& type, const std::string& status,
                     const std::string& more = "") {
  return event(R"({"type":")" + type + R"(","response":{"id":"resp_1","model":"m","status":")" +
               status + "\"" + more + "}}");
}
const std::string kCreated = response("response.created", "in_progress");
std::string completed(const std::string& more = R"(,"output":[])") {
  return response("response.completed", "completed", more);
}
std::string delta(int index, const std::string& text) {
  return event(R"({"type":"response.output_text.delta","output_index":)" + std::to_string(index) +
               R"(,"delta":")" + text + R"("})");
}
std::string done(int index, const std::string& item) {
  return event(R"({"type":"response.output_item.done","output_index":)" + std::to_string(index) +
               R"(,"item":)" + item + "}");
}
std::string message_item(const std::string& text) {
  return R"({"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":")" +
         text + R"(","annotations":[]}]})";
}
std::string call(const std::string& id, const std::string& name = "f",
                 const std::string& arguments = "{}") {
  return R"({"type":"function_call","id":"fc_1","call_id":")" + id + R"(","name":")" + name +
         R"(","arguments":")" + arguments + R"("})";
}

AnswerOrFailure read(const std::string& stream, End end = End::kComplete) {
  OpenAiResponsesStream reader({});
  for (const char& c : stream) reader.feed({&c, 1});
  auto out = reader.finish({.end = end, .headers = kNoHeaders});
  return out;
}

ModelAnswer answer_of(const std::string& stream) {
  const auto end = read(stream);
  EXPECT_TRUE(end.answer) << end.failure.detail;
  return end.answer.value_or(ModelAnswer{});
}

TEST(OpenAiResponsesStream, ItemsComeByThemselvesOrWithTheEnd) {
  for (const std::string& stream :
       {kCreated + delta(0, "He") + delta(0, "llo") + done(0, message_item("Hello")) + completed(),
        kCreated + completed(R"(,"output":[)" + message_item("Hello") + "]"),
        kCreated + delta(0, "He") + completed(R"(,"output":[)" + message_item("Hello") + "]"),
        R"({"id":"resp_1","model":"m","status":"completed","output":[)" + message_item("Hello") +
            "]}"}) {
    const ModelAnswer got = answer_of(stream);
    EXPECT_EQ(got.text, "Hello");
    EXPECT_EQ(got.stop, Stop::kEndTurn);
    EXPECT_EQ(got.response_id, "resp_1");
    EXPECT_EQ(got.raw.items, "");
  }
}

TEST(OpenAiResponsesStream, EncryptedReasoningStaysBesideTheFields) {
  const std::string reasoning =
      R"({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"})";
  const ModelAnswer got = answer_of(
      kCreated + done(0, reasoning) + done(1, call("call_1")) +
      completed(
          R"(,"output":[],"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":64},)"
          R"("output_tokens":30,"output_tokens_details":{"reasoning_tokens":20}})"));
  EXPECT_EQ(got.raw.dialect, "openai-responses");
  EXPECT_EQ(got.raw.items, "[" + reasoning + "," + call("call_1") + "]");
  EXPECT_EQ(got.stop, Stop::kToolCalls);
  EXPECT_EQ(got.input_tokens, 100);
  EXPECT_EQ(got.cached_input_tokens, 64);
  EXPECT_EQ(got.reasoning_tokens, 20);
  // What is neither encrypted nor stored at the provider would be refused there.
  EXPECT_EQ(answer_of(kCreated + done(0, R"({"type":"reasoning","id":"rs_1","summary":[]})") +
                      done(1, call("call_1")) + completed())
                .raw.items,
            "");
}

TEST(OpenAiResponsesStream, TheWholeItemSaysWhatItsTextIs) {
  EXPECT_EQ(answer_of(kCreated + delta(0, "abc") + done(0, message_item("abd")) + completed()).text,
            "abd");
}

TEST(OpenAiResponsesStream, ARefusalBehindText) {
  const ModelAnswer got = answer_of(
      kCreated + delta(0, "Well,") +
      done(
          0,
          R"({"type":"message","content":[{"type":"output_text","text":"Well,"},{"type":"refusal","refusal":"No."}]})") +
      completed());
  EXPECT_EQ(got.stop, Stop::kRefusal);
  EXPECT_EQ(got.refusal, "No.");
}

TEST(OpenAiResponsesStream, IncompleteAnswers) {
  const auto incomplete = [](const std::string& reason) {
    return answer_of(kCreated + done(0, message_item("a")) +
                     response("response.incomplete", "incomplete",
                              R"(,"output":[],"incomplete_details":{"reason":")" + reason + "\"}"));
  };
  EXPECT_EQ(incomplete("max_output_tokens").stop, Stop::kTruncated);
  EXPECT_EQ(incomplete("content_filter").stop, Stop::kRefusal);
}

TEST(OpenAiResponsesStream, FailuresAndBadAnswers) {
  const auto failed = [](const std::string& code) {
    return kCreated + response("response.failed", "failed",
                               R"(,"error":{"code":")" + code + R"(","message":"m"})");
  };
  struct {
    std::string what, stream;
    FailureClass failure;
    Outcome outcome;
    End end = End::kComplete;
  } const rows[] = {
      {"server error", failed("server_error"), kTransient, Outcome::kInDoubt},
      {"vector store", failed("vector_store_timeout"), kTransient, Outcome::kInDoubt},
      {"rate limit", failed("rate_limit_exceeded"), kRateLimit, Outcome::kDeferred},
      {"money", failed("insufficient_quota"), kQuota, Outcome::kFailed},
      {"prompt", failed("invalid_prompt"), kInvalid, Outcome::kFailed},
      {"policy", failed("bio_policy"), kRefusal, Outcome::kFailed},
      {"residency", failed("data_residency_mismatch"), kInvalid, Outcome::kFailed},
      {"image", failed("image_parse_error"), kInvalid, Outcome::kFailed},
      {"failed without a word", kCreated + response("response.failed", "failed"), kTransient,
       Outcome::kInDoubt},
      {"an error event",
       event(
           R"({"type":"error","code":"rate_limit_exceeded","message":"m","param":null,"sequence_number":1})"),
       kRateLimit, Outcome::kDeferred},
      {"an error event, nested",
       event(R"({"type":"error","error":{"code":"context_length_exceeded"}})"), kContextOverflow,
       Outcome::kFailed},
      {"cancelled elsewhere", kCreated + response("response.cancelled", "cancelled"), kTransient,
       Outcome::kInDoubt},
      {"garbage", "hello", kMalformedOutput, Outcome::kInDoubt},
      {"an event that is no JSON", "data: {\n\n", kMalformedOutput, Outcome::kInDoubt},
      {"an empty body", "", kMalformedOutput, Outcome::kInDoubt},
      {"two calls with one id", kCreated + done(0, call("a")) + done(1, call("a")) + completed(),
       kMalformedOutput, Outcome::kInDoubt},
      {"a call without a name", kCreated + done(0, call("a", "")) + completed(), kMalformedOutput,
       Outcome::kInDoubt},
      {"a second response",
       kCreated + event(R"({"type":"response.created","response":{"id":"resp_2"}})") + completed(),
       kMalformedOutput, Outcome::kInDoubt},
      {"cut", kCreated + delta(0, "abc"), kAmbiguous, Outcome::kInDoubt, End::kCut},
      {"ended early", kCreated + done(0, message_item("abc")), kAmbiguous, Outcome::kInDoubt},
      {"still at work", R"({"id":"resp_1","status":"queued","output":[]})", kContinue,
       Outcome::kDeferred},
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

TEST(OpenAiResponsesStream, CutArgumentsAreKeptForTheAgentToRefuse) {
  EXPECT_EQ(answer_of(kCreated + done(0, call("a", "f", R"({\"cut\":)")) + completed())
                .calls.at(0)
                .arguments,
            R"({"cut":)");
}

}  // namespace
}  // namespace perdure
