// Recorded streams of Gemini and Bedrock, from the folder that PERDURE_FIXTURES names. The lines of
// a recording are framed again: Gemini's as events, Bedrock's as binary messages.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "aws_event_messages.h"
#include "journal/message_json.h"
#include "model/bedrock_stream.h"
#include "model/gemini_stream.h"

namespace perdure {
namespace {

using HttpEnd = HttpResult::End;
using Stop = ModelAnswer::Stop;
const HttpHeaders kNoHeaders;

struct Fixture {
  std::string name;
  // Of the recorded stream, known from reading it.
  std::string text_begins;
  std::vector<ToolCall> calls;  // an empty id: derived
  Stop stop;
  int64_t input_tokens, output_tokens;
  std::string raw_dialect;
};

const std::vector<Fixture>& fixtures() {
  static const std::vector<Fixture> all = {
      {"google/google-reasoning-gemini3",
       "There are **3** \"r\"s in strawberry.\n\nSt**r**awbe",
       {},
       Stop::kEndTurn,
       9,
       325,
       "gemini"},
      {"google/google-tool-call-gemini3",
       "",
       {{"", "weather", R"({"location":"San Francisco"})"}},
       Stop::kToolCalls,
       29,
       819,
       "gemini"},
      {"amazon-bedrock/amazon-bedrock-json-only-text-first.1",
       "Here is your data:",
       {{"json-tool-1", "json", R"({"name":"John"})"}},
       Stop::kToolCalls,
       100,
       20,
       ""},
      {"amazon-bedrock/amazon-bedrock-json-other-tool.1",
       "",
       {{"toolu_01PQjhxo3eirCdKNvCJrKc8f", "get-weather", R"({"location":"San Francisco"})"}},
       Stop::kToolCalls,
       843,
       28,
       ""},
      {"amazon-bedrock/amazon-bedrock-json-tool-text-then-weather-then-json.1",
       "2 + 2 equals 4. Now let me check the weather for you.",
       {{"weather-tool-1", "weather", R"({"location":"San Francisco"})"},
        {"weather-tool-2", "weather", R"({"location":"London"})"}},
       Stop::kToolCalls,
       500,
       100,
       ""},
      {"amazon-bedrock/amazon-bedrock-json-tool.1",
       "",
       {{"json-tool-id", "json", R"({"value":"test"})"}},
       Stop::kToolCalls,
       -1,
       -1,
       ""},
      {"amazon-bedrock/amazon-bedrock-json-tool.2",
       "Let me generate that JSON for you.",
       {{"json-tool-id", "json", R"({"value":"test"})"}},
       Stop::kToolCalls,
       -1,
       -1,
       ""},
      {"amazon-bedrock/amazon-bedrock-json-tool.3",
       "First text block.Second text block.Third block.",
       {{"json-tool-id", "json", R"({"result":42})"}},
       Stop::kToolCalls,
       -1,
       -1,
       ""},
      {"amazon-bedrock/amazon-bedrock-json-with-tool.1",
       "Calling a tool first.Now JSON.",
       {{"tool-1", "get-weather", R"({"location":"SF"})"},
        {"json-tool-id", "json", R"({"result":"data"})"}},
       Stop::kToolCalls,
       -1,
       -1,
       ""},
      {"amazon-bedrock/amazon-bedrock-json-with-tools.1",
       "Multiple tools.Final JSON.",
       {{"tool-1", "tool-a", R"({"a":"1"})"},
        {"tool-2", "tool-b", R"({"b":"2"})"},
        {"json-tool-id", "json", R"({"final":"result"})"}},
       Stop::kToolCalls,
       -1,
       -1,
       ""},
      {"amazon-bedrock/amazon-bedrock-reasoning",
       "There are **3** r's in \"strawberry\":\n\n1. st",
       {},
       Stop::kEndTurn,
       51,
       94,
       "bedrock"},
      {"amazon-bedrock/amazon-bedrock-text",
       "Let me count the \"r\"s in \"strawberry\":",
       {},
       Stop::kEndTurn,
       22,
       55,
       ""},
      {"amazon-bedrock/amazon-bedrock-tool-no-args",
       "I'll update the issue list for you.",
       {{"tool-use-id", "updateIssueList", "{}"}},
       Stop::kToolCalls,
       100,
       25,
       ""},
  };
  return all;
}

// Empty when there are no fixtures.
std::string stream_of(const std::string& name) {
  const char* root = std::getenv("PERDURE_FIXTURES");
  if (root == nullptr) return {};
  std::ifstream file(std::string(root) + "/provider-streams/" + name + ".chunks.txt");
  EXPECT_TRUE(file) << name;
  std::string stream;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    if (name.starts_with("google/")) {
      stream += "data: " + line + "\r\n\r\n";
      continue;
    }
    const size_t end = line.find('"', 2);  // {"event":{...}}
    stream += test::aws_event(line.substr(2, end - 2),
                              std::string_view(line).substr(end + 2, line.size() - end - 3));
  }
  return stream;
}

AnswerOrFailure read(const std::string& name, const std::vector<std::string_view>& pieces,
                     HttpEnd end = HttpEnd::kComplete) {
  std::string deltas;
  const ReaderEvents events{[&](std::string_view text) { deltas += text; }};
  std::unique_ptr<AnswerReader> reader;
  if (name.starts_with("google/")) {
    reader = std::make_unique<GeminiStream>(events);
  } else {
    reader = std::make_unique<BedrockStream>(events);
  }
  for (const std::string_view piece : pieces) reader->feed(piece);
  auto out = reader->finish({end, "", kNoHeaders, 0});
  if (out.answer) EXPECT_EQ(deltas, out.answer->text);
  return out;
}

class CloudStream : public testing::TestWithParam<Fixture> {
 protected:
  void SetUp() override {
    stream_ = stream_of(GetParam().name);
    if (stream_.empty()) GTEST_SKIP() << "not run: PERDURE_FIXTURES is not set";
  }
  AnswerOrFailure read(const std::vector<std::string_view>& pieces,
                       HttpEnd end = HttpEnd::kComplete) const {
    return perdure::read(GetParam().name, pieces, end);
  }
  std::string json_of(const std::vector<std::string_view>& pieces) const {
    const auto end = read(pieces);
    EXPECT_TRUE(end.answer) << end.failure.detail;
    return end.answer ? answer_to_json(*end.answer) : std::string();
  }
  std::string stream_;
};

TEST_P(CloudStream, GivesItsAnswer) {
  const Fixture& expected = GetParam();
  const auto end = read({stream_});
  ASSERT_TRUE(end.answer) << end.failure.detail;
  const ModelAnswer& got = *end.answer;
  EXPECT_TRUE(got.text.starts_with(expected.text_begins)) << got.text;
  EXPECT_EQ(got.text.empty(), expected.text_begins.empty());
  EXPECT_EQ(got.stop, expected.stop);
  EXPECT_EQ(got.input_tokens, expected.input_tokens);
  EXPECT_EQ(got.output_tokens, expected.output_tokens);
  EXPECT_EQ(got.raw.dialect, expected.raw_dialect);
  ASSERT_EQ(got.calls.size(), expected.calls.size());
  for (size_t i = 0; i < got.calls.size(); ++i) {
    if (!expected.calls[i].id.empty()) EXPECT_EQ(got.calls[i].id, expected.calls[i].id);
    EXPECT_EQ(got.calls[i].name, expected.calls[i].name);
    EXPECT_EQ(got.calls[i].arguments, expected.calls[i].arguments);
  }
}

TEST_P(CloudStream, SplitsChangeNothing) {
  const std::string_view all = stream_;
  const std::string expected = json_of({all});
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < all.size(); ++i) bytes.push_back(all.substr(i, 1));
  EXPECT_EQ(json_of(bytes), expected);
  for (size_t at = 0; at <= all.size(); ++at) {
    ASSERT_EQ(json_of({all.substr(0, at), all.substr(at)}), expected) << "split at " << at;
  }
}

TEST_P(CloudStream, CutsNeverGiveAnotherAnswer) {
  const auto full = read({stream_});
  ASSERT_TRUE(full.answer);
  for (size_t size = 0; size < stream_.size(); ++size) {
    for (const HttpEnd how : {HttpEnd::kCut, HttpEnd::kComplete}) {
      const auto end = read({std::string_view(stream_).substr(0, size)}, how);
      if (!end.answer) {
        ASSERT_TRUE(end.failure.failure == FailureClass::kAmbiguous ||
                    end.failure.failure == FailureClass::kMalformedOutput);
        ASSERT_EQ(end.failure.outcome, Outcome::kInDoubt);
        continue;
      }
      ModelAnswer got = *end.answer;
      if (got.input_tokens < 0) {  // cut before the usage
        got.input_tokens = full.answer->input_tokens;
        got.output_tokens = full.answer->output_tokens;
      }
      ASSERT_EQ(answer_to_json(got), answer_to_json(*full.answer)) << "cut at " << size;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, CloudStream, testing::ValuesIn(fixtures()), [](const auto& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

// Arguments in pieces have to be asked for, and are not: to guess what is missing would be to call
// a tool with what the model did not say.
TEST(CloudStreams, ArgumentsInPiecesAreNoCall) {
  for (const char* name :
       {"google/google-stream-no-args-tool-call", "google/google-stream-tool-call-arguments",
        "google/google-vertex-stream-tool-call-arguments-nested.1"}) {
    const std::string stream = stream_of(name);
    if (stream.empty()) GTEST_SKIP() << "not run: PERDURE_FIXTURES is not set";
    for (size_t size = 0; size <= stream.size(); size += 97) {
      ASSERT_FALSE(read(name, {std::string_view(stream).substr(0, size)}).answer) << size;
    }
    EXPECT_EQ(read(name, {stream}).failure.detail,
              "the answer cannot be read: a function call came in pieces, which was not asked for");
  }
}

}  // namespace
}  // namespace perdure
