// Recorded streams of real providers, from the folder that PERDURE_FIXTURES names.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "journal/message_json.h"
#include "model/openai_chat_stream.h"

namespace perdure {
namespace {

using HttpEnd = HttpResult::End;

struct Fixture {
  std::string name;
  // Of the recorded stream, known from reading it.
  std::string text_begins;
  size_t text_bytes;
  std::vector<ToolCall> calls;
  ModelAnswer::Stop stop;
  int64_t input_tokens, output_tokens;
};

using Stop = ModelAnswer::Stop;

const std::vector<Fixture>& fixtures() {
  static const std::vector<Fixture> all = {
      {"openai/azure-model-router.1", R"(Capital of Denmark.)", 19, {}, Stop::kEndTurn, 15, 78},
      {"xai/xai-text", R"(Hello)", 5, {}, Stop::kEndTurn, 12, 291},
      {"mistral/mistral-incremental-tool-call",
       R"()",
       0,
       {{R"(chatcmpl-tool-9f149c74c42f265b)", R"(webSearchTool)",
         R"({"query": "current Berlin weather"})"}},
       Stop::kToolCalls,
       171,
       14},
      {"mistral/mistral-reasoning", R"(2 + 2 = 4)", 9, {}, Stop::kEndTurn, 10, 46},
      {"mistral/mistral-tool-call",
       R"()",
       0,
       {{R"(gSIMJiOkT)", R"(weather)", R"({"location": "San Francisco"})"}},
       Stop::kToolCalls,
       124,
       22},
      {"groq/groq-tool-call",
       R"()",
       0,
       {{R"(tk85n1k4m)", R"(weather)", R"({})"}},
       Stop::kToolCalls,
       210,
       15},
      {"deepseek/deepseek-tool-call",
       R"()",
       0,
       {{R"(call_00_ioIn7yN9p1ZOMNpDLwd4MgAF)", R"(weather)", R"({"location": "San Francisco"})"}},
       Stop::kToolCalls,
       339,
       83},
      {"deepseek/deepseek-reasoning", R"(The word "strawberry)", 42, {}, Stop::kEndTurn, 18, 219},
      {"deepseek/deepseek-text", R"(## **Holiday Name:**)", 1859, {}, Stop::kTruncated, 13, 400},
  };
  return all;
}

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class RecordedStream : public testing::TestWithParam<Fixture> {
 protected:
  void SetUp() override {
    const char* root = std::getenv("PERDURE_FIXTURES");
    if (root == nullptr) {
      GTEST_SKIP() << "not run: recorded stream " << GetParam().name
                   << " (PERDURE_FIXTURES is not set)";
    }
    base_ = std::string(root) + "/provider-streams/" + GetParam().name;
    const std::string lines = slurp(base_ + ".chunks.txt");
    ASSERT_FALSE(lines.empty()) << base_;
    size_t from = 0;
    while (from < lines.size()) {
      const size_t end = std::min(lines.find('\n', from), lines.size());
      if (end > from) stream_ += "data: " + lines.substr(from, end - from) + "\n\n";
      from = end + 1;
    }
    stream_ += "data: [DONE]\n\n";
  }

  static AnswerOrFailure read(const std::vector<std::string_view>& pieces,
                              HttpEnd end = HttpEnd::kComplete) {
    std::string deltas;
    OpenAiChatStream stream({[&](std::string_view text) { deltas += text; }});
    for (const std::string_view piece : pieces) stream.feed(piece);
    const HttpHeaders none;
    auto out = stream.finish({.end = end, .detail = "", .headers = none});
    if (out.answer) EXPECT_EQ(deltas, out.answer->text);
    return out;
  }

  std::string json_of(const std::vector<std::string_view>& pieces) {
    const auto end = read(pieces);
    EXPECT_TRUE(end.answer) << end.failure.detail;
    return end.answer ? answer_to_json(*end.answer) : std::string();
  }

  std::string base_;
  std::string stream_;
};

void expect_fields(const Fixture& expected, const ModelAnswer& got) {
  EXPECT_TRUE(got.text.starts_with(expected.text_begins)) << got.text;
  EXPECT_EQ(got.text.size(), expected.text_bytes);
  EXPECT_EQ(got.stop, expected.stop);
  EXPECT_EQ(got.input_tokens, expected.input_tokens);
  EXPECT_EQ(got.output_tokens, expected.output_tokens);
  ASSERT_EQ(got.calls.size(), expected.calls.size());
  for (size_t i = 0; i < got.calls.size(); ++i) {
    EXPECT_EQ(got.calls[i].id, expected.calls[i].id);
    EXPECT_EQ(got.calls[i].name, expected.calls[i].name);
    EXPECT_EQ(got.calls[i].arguments, expected.calls[i].arguments);
  }
}

TEST_P(RecordedStream, GivesItsAnswer) {
  const auto end = read({stream_});
  ASSERT_TRUE(end.answer) << end.failure.detail;
  expect_fields(GetParam(), *end.answer);
}

// The whole answer beside the stream is another run of the same request: what the model said may
// differ, its shape may not.
TEST_P(RecordedStream, AgreesWithTheWholeAnswerBesideIt) {
  const std::string body = slurp(base_ + ".json");
  if (body.empty()) GTEST_SKIP() << "no whole answer was recorded beside " << GetParam().name;
  const auto whole = read({body});
  const auto streamed = read({stream_});
  ASSERT_TRUE(whole.answer) << whole.failure.detail;
  ASSERT_TRUE(streamed.answer);
  EXPECT_EQ(whole.answer->stop, streamed.answer->stop);
  EXPECT_EQ(whole.answer->model, streamed.answer->model);
  EXPECT_EQ(whole.answer->text.empty(), streamed.answer->text.empty());
  EXPECT_GT(whole.answer->input_tokens, 0);
  ASSERT_EQ(whole.answer->calls.size(), streamed.answer->calls.size());
  for (size_t i = 0; i < whole.answer->calls.size(); ++i) {
    EXPECT_EQ(whole.answer->calls[i].name, streamed.answer->calls[i].name);
    EXPECT_EQ(whole.answer->calls[i].arguments, streamed.answer->calls[i].arguments);
  }
}

// Every position of a long stream would take minutes. Of its runs of alike lines, this keeps the
// first two, so that every position of every kind of line is still met.
std::string without_repetition(const std::string& stream) {
  constexpr size_t kShortBytes = 8000;
  if (stream.size() <= kShortBytes) return stream;
  std::string out, shape_before;
  int alike = 0;
  for (size_t from = 0; from < stream.size();) {
    const size_t end = stream.find("\n\n", from) + 2;
    const std::string event = stream.substr(from, end - from);
    std::string shape;
    bool in_string = false;
    for (size_t i = 0; i < event.size(); ++i) {
      if (event[i] == '"') in_string = !in_string;
      if (!in_string) shape += event[i];
      if (event[i] == '\\') ++i;
    }
    alike = shape == shape_before ? alike + 1 : 0;
    if (alike < 2) out += event;
    shape_before = shape;
    from = end;
  }
  return out;
}

TEST_P(RecordedStream, SplitsChangeNothing) {
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < stream_.size(); ++i) {
    bytes.push_back(std::string_view(stream_).substr(i, 1));
  }
  EXPECT_EQ(json_of(bytes), json_of({stream_}));
  const std::string kept = without_repetition(stream_);
  const std::string_view all = kept;
  const std::string expected = json_of({all});
  for (size_t at = 0; at <= all.size(); ++at) {
    ASSERT_EQ(json_of({all.substr(0, at), all.substr(at)}), expected) << "split at " << at;
  }
}

TEST_P(RecordedStream, CutsNeverGiveAnotherAnswer) {
  const std::string kept = without_repetition(stream_);
  const auto full = read({kept});
  ASSERT_TRUE(full.answer);
  size_t answered = 0;
  for (size_t size = 0; size < kept.size(); ++size) {
    for (const HttpEnd how : {HttpEnd::kCut, HttpEnd::kComplete, HttpEnd::kTimedOut}) {
      const auto end = read({std::string_view(kept).substr(0, size)}, how);
      if (!end.answer) {
        ASSERT_TRUE(end.failure.failure == FailureClass::kAmbiguous ||
                    end.failure.failure == FailureClass::kMalformedOutput);
        ASSERT_EQ(end.failure.outcome, Outcome::kInDoubt);
        continue;
      }
      ++answered;
      ModelAnswer got = *end.answer;
      if (got.input_tokens < 0) {  // cut before the usage
        got.input_tokens = full.answer->input_tokens;
        got.output_tokens = full.answer->output_tokens;
        got.cached_input_tokens = full.answer->cached_input_tokens;
        got.reasoning_tokens = full.answer->reasoning_tokens;
      }
      ASSERT_EQ(answer_to_json(got), answer_to_json(*full.answer)) << "cut at " << size;
    }
  }
  EXPECT_GT(answered, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, RecordedStream, testing::ValuesIn(fixtures()), [](const auto& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

}  // namespace
}  // namespace perdure
