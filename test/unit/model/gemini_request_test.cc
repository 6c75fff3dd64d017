#include "model/gemini_request.h"

#include <gtest/gtest.h>

#include "messages.h"
#include "model/gemini_codec.h"

namespace perdure {
namespace {

using test::conversation;
using test::message;
using test::result;

ModelConfig config() {
  ModelConfig out;
  out.provider = ModelConfig::Provider::kGemini;
  out.base_url = "https://generativelanguage.googleapis.com/v1beta";
  out.model = "gemini-3-pro";
  out.max_output_tokens = 100;
  return out;
}

// The bytes are a promise: requests are rebuilt from the journal, by later versions too.
TEST(GeminiRequest, HasFixedBytes) {
  EXPECT_EQ(
      encode_gemini(conversation("I look."), config()),
      R"({"contents":[{"role":"user","parts":[{"text":"Where is order 42?\n"}]},)"
      R"({"role":"model","parts":[{"text":"I look."},)"
      R"({"functionCall":{"id":"call_1","name":"shop__find","args":{ "id" : 42.0 }},"thoughtSignature":"skip_thought_signature_validator"},)"
      R"({"functionCall":{"id":"call_2","name":"clock","args":{}}}]},)"
      R"({"role":"user","parts":[{"functionResponse":{"id":"call_1","name":"shop__find","response":{"output":"{\"at\":\"sea\"}"}}},)"
      R"({"functionResponse":{"id":"call_2","name":"clock","response":{"error":"no clock"}}}]},)"
      R"({"role":"user","parts":[{"text":"And now?"}]}],)"
      R"("systemInstruction":{"parts":[{"text":"Be brief."}]},)"
      R"("tools":[{"functionDeclarations":[{"name":"shop__find","description":"Finds \"orders\".","parametersJsonSchema":{ "type":"object" }},)"
      R"({"name":"clock","description":""}]}],)"
      R"("generationConfig":{"maxOutputTokens":100}})");
}

TEST(GeminiRequest, SendsItsOwnPartsBackAsTheyCame) {
  ModelRequest request;
  Message own = message(Message::Role::kAssistant, "not shown");
  own.calls = {{"call_derived", "a.b", "{}"}, {"id-7", "c", "{}"}};
  own.raw = {"gemini", R"([{"functionCall":{"name":"a__b"},"thoughtSignature":"c2ln"},)"
                       R"({"functionCall":{"id":"id-7","name":"c"}}])"};
  request.messages = {own, result("call_derived", "1"), result("id-7", "2")};
  const std::string body = encode_gemini(request, config());
  EXPECT_NE(body.find(R"({"role":"model","parts":[{"functionCall":{"name":"a__b"},)"
                      R"("thoughtSignature":"c2ln"},{"functionCall":{"id":"id-7","name":"c"}}]},)"),
            std::string::npos)
      << body;
  // An id that we made up is not sent: only the order and the name tell the call.
  EXPECT_NE(
      body.find(R"([{"functionResponse":{"name":"a__b","response":{"output":"1"}}},)"
                R"({"functionResponse":{"id":"id-7","name":"c","response":{"output":"2"}}}])"),
      std::string::npos)
      << body;
}

TEST(GeminiRequest, RendersWhatAnotherProviderSaid) {
  ModelRequest request;
  Message other = message(Message::Role::kAssistant, "");
  other.raw = {"anthropic", R"([{"type":"thinking"}])"};
  other.calls = {{"toolu_1", "f", "[1]"}};
  Message silent = message(Message::Role::kAssistant, "");
  Message refused = message(Message::Role::kAssistant, "");
  refused.refusal = "I will not.";
  request.messages = {other, result("toolu_1", ""), silent, refused};
  EXPECT_EQ(
      encode_gemini(request, config()),
      R"({"contents":[{"role":"model","parts":[{"functionCall":{"id":"toolu_1","name":"f","args":{"unreadable_arguments":"[1]"}},"thoughtSignature":"skip_thought_signature_validator"}]},)"
      R"({"role":"user","parts":[{"functionResponse":{"id":"toolu_1","name":"f","response":{"output":""}}}]},)"
      R"({"role":"model","parts":[{"text":"I will not."}]}],"generationConfig":{"maxOutputTokens":100}})");
}

// As after a repair or a nudge: the server speaks twice, or right after the tools.
TEST(GeminiRequest, WordsThatFollowWordsStandInOneContentAndResultsApart) {
  ModelRequest request;
  Message call = message(Message::Role::kAssistant, "");
  call.calls = {{"c1", "f", "{}"}};
  request.messages = {message(Message::Role::kUser, "a"),
                      message(Message::Role::kUser, "b"),
                      call,
                      result("c1", "r"),
                      message(Message::Role::kUser, "nudge"),
                      message(Message::Role::kAssistant, ""),
                      message(Message::Role::kUser, "c"),
                      message(Message::Role::kAssistant, "x"),
                      message(Message::Role::kAssistant, "y")};
  EXPECT_EQ(
      encode_gemini(request, config()),
      R"({"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},)"
      R"({"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"}]},)"
      R"({"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"output":"r"}}}]},)"
      R"({"role":"user","parts":[{"text":"nudge"},{"text":"c"}]},)"
      R"({"role":"model","parts":[{"text":"x"},{"text":"y"}]}],)"
      R"("generationConfig":{"maxOutputTokens":100}})");
}

TEST(GeminiRequest, OptionsOfTheModel) {
  ModelConfig c = config();
  c.extra = R"({"generationConfig":{"temperature":0,"topK":3},"safetySettings":[]})";
  ModelRequest request;
  request.max_output_tokens = 7;
  EXPECT_EQ(encode_gemini(request, c),
            R"({"contents":[],"generationConfig":{"maxOutputTokens":7,"temperature":0,"topK":3},)"
            R"("safetySettings":[]})");
}

TEST(GeminiRequest, GoesToTheStreamOfItsModel) {
  const GeminiCodec codec;
  WireRequest wire = codec.encode({}, config());
  EXPECT_EQ(wire.path, "/models/gemini-3-pro:streamGenerateContent?alt=sse");
  ASSERT_TRUE(codec.authorize(wire, "https://g.example/v1beta" + wire.path, "k", config(), 0));
  EXPECT_EQ(wire.headers.back(), (std::pair<std::string, std::string>("x-goog-api-key", "k")));
  ASSERT_TRUE(codec.authorize(wire, "https://g/v1/projects/p/locations/l/publishers/google", "t",
                              config(), 0));
  EXPECT_EQ(wire.headers.back(),
            (std::pair<std::string, std::string>("Authorization", "Bearer t")));
}

}  // namespace
}  // namespace perdure
