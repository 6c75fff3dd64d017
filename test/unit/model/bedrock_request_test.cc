#include "model/bedrock_request.h"

#include <gtest/gtest.h>

#include "messages.h"
#include "model/bedrock_codec.h"
#include "model/retry_hint.h"

namespace perdure {
namespace {

using test::conversation;
using test::message;
using test::result;

ModelConfig config() {
  ModelConfig out;
  out.provider = ModelConfig::Provider::kBedrock;
  out.base_url = "https://bedrock-runtime.us-east-1.amazonaws.com";
  out.model = "anthropic.claude-v2:1";
  out.max_output_tokens = 100;
  out.aws.region = "us-east-1";
  return out;
}

// The bytes are a promise: requests are rebuilt from the journal, by later versions too.
TEST(BedrockRequest, HasFixedBytes) {
  EXPECT_EQ(
      encode_bedrock(conversation("I look."), config()),
      R"({"messages":[{"role":"user","content":[{"text":"Where is order 42?\n"}]},)"
      R"({"role":"assistant","content":[{"text":"I look."},)"
      R"({"toolUse":{"toolUseId":"call_1","name":"shop__find","input":{ "id" : 42.0 }}},)"
      R"({"toolUse":{"toolUseId":"call_2","name":"clock","input":{}}}]},)"
      R"({"role":"user","content":[{"toolResult":{"toolUseId":"call_1","content":[{"text":"{\"at\":\"sea\"}"}],"status":"success"}},)"
      R"({"toolResult":{"toolUseId":"call_2","content":[{"text":"no clock"}],"status":"error"}},)"
      R"({"text":"And now?"}]}],)"
      R"("system":[{"text":"Be brief."}],)"
      R"("toolConfig":{"tools":[{"toolSpec":{"name":"shop__find","description":"Finds \"orders\".","inputSchema":{"json":{ "type":"object" }}}},)"
      R"({"toolSpec":{"name":"clock","inputSchema":{"json":{"type":"object"}}}}]},)"
      R"("inferenceConfig":{"maxTokens":100}})");
}

TEST(BedrockRequest, SendsNoBlankTextAndLetsTheRolesTakeTurns) {
  ModelRequest request;
  Message refused = message(Message::Role::kAssistant, "");
  refused.refusal = "I will not.";
  Message cut = message(Message::Role::kAssistant, "");
  cut.calls = {{"toolu_1", "f", R"({"a":)"}};
  request.messages = {message(Message::Role::kUser, "a"),
                      message(Message::Role::kUser, " \n"),
                      message(Message::Role::kUser, "b"),
                      message(Message::Role::kAssistant, ""),
                      refused,
                      cut,
                      result("toolu_1", "")};
  EXPECT_EQ(
      encode_bedrock(request, config()),
      R"({"messages":[{"role":"user","content":[{"text":"a"},{"text":"b"}]},)"
      R"({"role":"assistant","content":[{"text":"I will not."},)"
      R"({"toolUse":{"toolUseId":"toolu_1","name":"f","input":{"unreadable_arguments":"{\"a\":"}}}]},)"
      R"({"role":"user","content":[{"toolResult":{"toolUseId":"toolu_1","content":[],"status":"success"}}]}],)"
      R"("inferenceConfig":{"maxTokens":100}})");
}

// As after a repair or a nudge: the server speaks right after the tools.
TEST(BedrockRequest, WordsAfterResultsJoinThem) {
  ModelRequest request;
  Message call = message(Message::Role::kAssistant, "");
  call.calls = {{"c1", "f", "{}"}};
  request.messages = {message(Message::Role::kUser, "a"), call, result("c1", "r"),
                      message(Message::Role::kUser, "nudge"),
                      message(Message::Role::kUser, "repair")};
  EXPECT_EQ(
      encode_bedrock(request, config()),
      R"({"messages":[{"role":"user","content":[{"text":"a"}]},)"
      R"({"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":"f","input":{}}}]},)"
      R"({"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[{"text":"r"}],"status":"success"}},)"
      R"({"text":"nudge"},{"text":"repair"}]}],)"
      R"("inferenceConfig":{"maxTokens":100}})");
}

TEST(BedrockRequest, SendsItsOwnBlocksBackAsTheyCame) {
  ModelRequest request;
  Message own = message(Message::Role::kAssistant, "not shown");
  own.raw = {"bedrock", R"([{"reasoningContent":{"redactedContent":"AA=="}},{"text":"x"}])"};
  Message other = message(Message::Role::kAssistant, "shown");
  other.raw = {"gemini", R"([{"text":"y"}])"};
  request.messages = {own, message(Message::Role::kUser, "u"), other};
  EXPECT_EQ(
      encode_bedrock(request, config()),
      R"({"messages":[{"role":"assistant","content":[{"reasoningContent":{"redactedContent":"AA=="}},{"text":"x"}]},)"
      R"({"role":"user","content":[{"text":"u"}]},{"role":"assistant","content":[{"text":"shown"}]}],)"
      R"("inferenceConfig":{"maxTokens":100}})");
}

TEST(BedrockRequest, OptionsOfTheModel) {
  ModelConfig c = config();
  c.extra =
      R"({"additionalModelRequestFields":{"thinking":{"type":"enabled"}},"inferenceConfig":{"topP":1}})";
  EXPECT_EQ(
      encode_bedrock({}, c),
      R"({"messages":[],"inferenceConfig":{"maxTokens":100,"topP":1},"additionalModelRequestFields":{"thinking":{"type":"enabled"}}})");
}

TEST(BedrockCodec, SignsThePathAsAwsEncodesIt) {
  const BedrockCodec codec;
  ModelConfig c = config();
  c.aws.access_key_id = "env:ID";
  c.aws.secret_access_key = "env:SECRET";
  c.aws.session_token = "env:TOKEN";
  EXPECT_EQ(codec.secret_references(c),
            (std::vector<std::string>{"env:ID", "env:SECRET", "env:TOKEN"}));
  WireRequest wire = codec.encode({}, c);
  EXPECT_EQ(wire.path, "/model/anthropic.claude-v2%3A1/converse-stream");
  const std::vector<std::string> secrets = {"AKIDEXAMPLE", "secret", "token"};
  ASSERT_TRUE(codec.authorize_with(wire, c.base_url + wire.path, secrets, c, 1'440'938'160'000));
  const auto header = [&](std::string_view name) {
    const std::string* found = find_header(wire.headers, name);
    return found != nullptr ? *found : std::string();
  };
  EXPECT_EQ(header("X-Amz-Date"), "20150830T123600Z");
  EXPECT_EQ(header("X-Amz-Security-Token"), "token");
  // Computed with a program of its own (Python's hashlib and hmac).
  EXPECT_EQ(header("Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
            "Signature=b4375a2c807eafda07aba1a91465784e38c0a1e8ef842b16d9957d6f906f2c65");
}

TEST(BedrockCodec, SendsAnApiKeyAsItIs) {
  const BedrockCodec codec;
  ModelConfig c = config();
  EXPECT_TRUE(codec.secret_references(c).empty());
  c.key = "env:KEY";
  EXPECT_EQ(codec.secret_references(c), std::vector<std::string>{"env:KEY"});
  WireRequest wire = codec.encode({}, c);
  const std::vector<std::string> secrets = {"k"};
  ASSERT_TRUE(codec.authorize_with(wire, c.base_url + wire.path, secrets, c, 0));
  EXPECT_EQ(wire.headers.back(),
            (std::pair<std::string, std::string>("Authorization", "Bearer k")));
}

}  // namespace
}  // namespace perdure
