#include "agent/mcp_text.h"

#include <gtest/gtest.h>

#include "agent/builtin_tools.h"
#include "journal_builder.h"

namespace perdure::test {
namespace {

TEST(McpText, IsWhatTheToolSaid) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"content":[{"type":"text","text":"a \"b\"\n"}]})", "a \"b\"\n"},
      {R"({"content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]})", "one\ntwo"},
      {R"({"content":[]})", ""},
      {R"({"content":[{"type":"text","text":"{\"n\": 1}"}],"structuredContent":{"n":1}})",
       R"({"n": 1})"},
      {R"({"content":[{"type":"text","text":"seen"}],"structuredContent":{"n":1}})",
       "seen\n{\"n\":1}"},
      {R"({"content":[],"structuredContent":{"n":1}})", R"({"n":1})"},
      {R"({"content":[{"type":"image","mimeType":"image/png","data":"AAECAw=="}]})",
       "[image/png, 4 bytes]"},
      {R"({"content":[{"type":"audio","data":"AAEC"},{"type":"text","text":"listen"}]})",
       "[audio, 3 bytes]\nlisten"},
      {R"({"content":[{"type":"resource_link","name":"log","uri":"file:///log"}]})",
       "[log: file:///log]"},
      {R"({"content":[{"type":"resource","resource":{"uri":"file:///a","text":"inside"}}]})",
       "inside"},
      {R"({"content":[{"type":"resource","resource":{"uri":"file:///a","blob":"AAEC"}}]})",
       "file:///a [resource, 3 bytes]"},
  };
  for (const auto& [result, text] : cases) EXPECT_EQ(mcp_text(result), text) << result;
  for (const char* other :
       {"", "seen", "[]", "{}", R"({"content":"text"})", R"({"content":["text"]})",
        R"({"content":[{"text":"no type"}]})", R"({"content":[{"type":"invoice","total":12}]})",
        R"({"content":[],"more":1})", R"({"content":[)",
        R"({"content":[],"structuredContent":1,"more":1})"}) {
    EXPECT_EQ(mcp_text(other), std::nullopt) << other;
  }
}

constexpr std::string_view kResult = R"({"content":[{"type":"text","text":"open"}]})";

std::string told(const AgentSpec& spec, Outcome outcome) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, answer_with("", {{"a", "look", "{}"}}));
  journal.tool_planned("t1.0", "look");
  journal.settled("t1.0", outcome, std::string(kResult), FailureClass::kInvalid, "it says so");
  return fold(journal.records(), inline_rules(spec)).request(spec).messages.back().text;
}

TEST(McpText, IsShownToTasksThatBeganWithIt) {
  AgentSpec spec = shop_agent();
  EXPECT_EQ(told(spec, Outcome::kSucceeded), "open");
  EXPECT_EQ(told(spec, Outcome::kFailed), "The call failed. Reason: it says so\nopen");
  spec.rendering = 1;
  EXPECT_EQ(told(spec, Outcome::kSucceeded), kResult) << "and the hash of the conversation holds";
  EXPECT_EQ(told(spec, Outcome::kFailed),
            "The call failed. Reason: it says so\n" + std::string(kResult));
}

TEST(McpText, IsWhatIsShownInPartAndReadInRanges) {
  AgentSpec spec = shop_agent();
  spec.max_inline_bytes = kMaxInlineBytesMin;
  spec.builtins = {std::string(kReadResultTool)};
  const std::string text(1000, 'x');
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, answer_with("", {{"a", "look", "{}"}}));
  journal.tool_planned("t1.0", "look");
  journal.settled("t1.0", Outcome::kSucceeded,
                  R"({"content":[{"type":"text","text":")" + text + R"("}]})");
  const Transcript transcript = fold(journal.records(), inline_rules(spec));
  ASSERT_NE(transcript.large_result("t1.0"), nullptr);
  EXPECT_EQ(*transcript.large_result("t1.0"), text);
}

}  // namespace
}  // namespace perdure::test
