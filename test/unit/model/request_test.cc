#include <gtest/gtest.h>

#include "base/json.h"
#include "messages.h"
#include "model/json_text.h"
#include "model/openai_chat_request.h"
#include "model/tool_names.h"

namespace perdure {
namespace {

using test::conversation;
using test::message;

ModelConfig config() {
  ModelConfig out;
  out.model = "some-model";
  out.max_output_tokens = 100;
  return out;
}

// The bytes are a promise: requests are rebuilt from the journal, by later versions too.
TEST(OpenAiChatRequest, HasFixedBytes) {
  EXPECT_EQ(
      encode_openai_chat(conversation(""), config()),
      R"({"model":"some-model","messages":[{"role":"system","content":"Be brief."},)"
      R"({"role":"user","content":"Where is order 42?\n"},)"
      R"({"role":"assistant","content":null,"tool_calls":[)"
      R"({"id":"call_1","type":"function","function":{"name":"shop__find","arguments":"{ \"id\" : 42.0 }"}},)"
      R"({"id":"call_2","type":"function","function":{"name":"clock","arguments":""}}]},)"
      R"({"role":"tool","tool_call_id":"call_1","content":"{\"at\":\"sea\"}"},)"
      R"({"role":"tool","tool_call_id":"call_2","content":"no clock"},)"
      R"({"role":"user","content":"And now?"}],)"
      R"("tools":[{"type":"function","function":{"name":"shop__find","description":"Finds \"orders\".","parameters":{ "type":"object" }}},)"
      R"({"type":"function","function":{"name":"clock"}}],)"
      R"("stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":100})");
}

TEST(OpenAiChatRequest, OptionsOfTheModel) {
  ModelConfig c = config();
  c.max_tokens_member = ModelConfig::MaxTokensMember::kMaxTokens;
  c.extra = R"({"seed":7,"temperature":5E-1})";
  ModelRequest request;
  request.max_output_tokens = 9;
  EXPECT_EQ(encode_openai_chat(request, c),
            R"({"model":"some-model","messages":[],"stream":true,)"
            R"("stream_options":{"include_usage":true},"max_tokens":9,)"
            R"("seed":7,"temperature":5E-1})");
}

TEST(OpenAiChatRequest, NoAnswerIsLongerThanItsOperatorAllows) {
  ModelConfig c = config();
  c.max_output_tokens = 50;
  for (const auto& [asked, sent] : {std::pair{0, 50}, {49, 49}, {51, 50}}) {
    ModelRequest request;
    request.max_output_tokens = asked;
    EXPECT_EQ(output_tokens_max(request, c), sent);
  }
}

TEST(OpenAiChatRequest, AssistantMessages) {
  ModelRequest request;
  request.messages.push_back(message(Message::Role::kAssistant, ""));
  Message refusal = message(Message::Role::kAssistant, "");
  refusal.refusal = "No.";
  request.messages.push_back(refusal);
  const auto sent = parse_json(encode_openai_chat(request, config()), "request");
  ASSERT_TRUE(sent);
  EXPECT_EQ(to_json(sent->at("messages")),
            R"([{"role":"assistant","content":""},)"
            R"({"role":"assistant","content":null,"refusal":"No."}])");
}

TEST(OpenAiChatRequest, AnyBytesGiveValidJson) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  ModelRequest request;
  request.messages.push_back(message(Message::Role::kUser, all + "\xE2\x82"));
  const auto sent = parse_json(encode_openai_chat(request, config()), "request");
  ASSERT_TRUE(sent) << sent.error().message;
  const std::string text(sent->at("messages").at(0).at("content").as_string());
  EXPECT_EQ(text.substr(0, 128), all.substr(0, 128));
  EXPECT_EQ(text.size(), 128 + 130 * 3);
}

TEST(JsonText, KeepsCharactersAndReplacesTheRest) {
  const auto put = [](std::string_view text) {
    std::string out;
    put_json_string(out, text);
    return out;
  };
  EXPECT_EQ(put("\x01\x1f\t\"\\/"), R"("\u0001\u001f\t\"\\/")");
  EXPECT_EQ(put("gr\xC3\xBC\xC3\x9F \xF0\x9F\x99\x82"), "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x99\x82\"");
  EXPECT_EQ(put("\xFF\xC3\xBC\xC3"), "\"\xEF\xBF\xBD\xC3\xBC\xEF\xBF\xBD\"");
}

TEST(ToolNames, AreValidUniqueAndComeBack) {
  const std::string long_name(90, 'x');
  const std::vector<ToolDeclaration> tools = {
      {"a.b", "", ""},           {"a__b", "", ""},          {"a b", "", ""}, {"a/b", "", ""},
      {long_name + "1", "", ""}, {long_name + "2", "", ""}, {"", "", ""}};
  const ToolNames names(tools);
  std::map<std::string, int> seen;
  for (const ToolDeclaration& tool : tools) {
    const std::string wire = names.to_wire(tool.name);
    EXPECT_LE(wire.size(), 64u);
    EXPECT_EQ(
        wire.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"),
        std::string::npos);
    EXPECT_EQ(++seen[wire], 1) << wire;
    EXPECT_EQ(names.from_wire(wire), tool.name);
  }
  EXPECT_EQ(names.to_wire("a__b"), "a__b");
  EXPECT_EQ(names.from_wire("made_up"), "made_up");
}

}  // namespace
}  // namespace perdure
