// Recorded streams of real providers, from the folder that PERDURE_FIXTURES names.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "journal/message_json.h"
#include "model/codec.h"

namespace perdure {
namespace {

using HttpEnd = HttpResult::End;

using Provider = ModelConfig::Provider;

struct Fixture {
  Provider provider;
  std::string name;
  // Of the recorded stream, known from reading it.
  std::string text_begins;
  size_t text_bytes;
  std::vector<ToolCall> calls;
  ModelAnswer::Stop stop;
  int64_t input_tokens, output_tokens;
  bool has_whole = true;  // else there is no file beside it, or it answers another request
};

// Files with more than one answer, or with a recording that was shortened by hand, are left out.
using Stop = ModelAnswer::Stop;

const std::vector<Fixture>& fixtures() {
  static const std::vector<Fixture> all = {
      {Provider::kOpenAiChat,
       "openai/azure-model-router.1",
       R"(Capital of Denmark.)",
       19,
       {},
       Stop::kEndTurn,
       15,
       78,
       false},
      {Provider::kOpenAiChat, "xai/xai-text", R"(Hello)", 5, {}, Stop::kEndTurn, 12, 291},
      {Provider::kOpenAiChat,
       "mistral/mistral-incremental-tool-call",
       R"()",
       0,
       {{R"(chatcmpl-tool-9f149c74c42f265b)", R"(webSearchTool)",
         R"({"query": "current Berlin weather"})"}},
       Stop::kToolCalls,
       171,
       14,
       false},
      {Provider::kOpenAiChat,
       "mistral/mistral-reasoning",
       R"(2 + 2 = 4)",
       9,
       {},
       Stop::kEndTurn,
       10,
       46},
      {Provider::kOpenAiChat,
       "mistral/mistral-tool-call",
       R"()",
       0,
       {{R"(gSIMJiOkT)", R"(weather)", R"({"location": "San Francisco"})"}},
       Stop::kToolCalls,
       124,
       22},
      {Provider::kOpenAiChat,
       "groq/groq-tool-call",
       R"()",
       0,
       {{R"(tk85n1k4m)", R"(weather)", R"({})"}},
       Stop::kToolCalls,
       210,
       15},
      {Provider::kOpenAiChat,
       "deepseek/deepseek-tool-call",
       R"()",
       0,
       {{R"(call_00_ioIn7yN9p1ZOMNpDLwd4MgAF)", R"(weather)", R"({"location": "San Francisco"})"}},
       Stop::kToolCalls,
       339,
       83},
      {Provider::kOpenAiChat,
       "deepseek/deepseek-reasoning",
       R"(The word "strawberry)",
       42,
       {},
       Stop::kEndTurn,
       18,
       219},
      {Provider::kOpenAiChat,
       "deepseek/deepseek-text",
       R"(## **Holiday Name:**)",
       1859,
       {},
       Stop::kTruncated,
       13,
       400},
      {Provider::kAnthropic,
       "anthropic/anthropic-advisor-20250301.1",
       R"(# Concurrent Worker )",
       12220,
       {},
       Stop::kEndTurn,
       4727,
       3391,
       false},
      {Provider::kAnthropic,
       "anthropic/anthropic-advisor-stop-reasons",
       R"()",
       0,
       {},
       Stop::kEndTurn,
       10,
       20},
      {Provider::kAnthropic,
       "anthropic/anthropic-code-execution-20250825.1",
       R"(I'll create a Python)",
       795,
       {},
       Stop::kEndTurn,
       8050,
       771},
      {Provider::kAnthropic,
       "anthropic/anthropic-code-execution-20250825.2",
       R"(I'll help you create)",
       1801,
       {},
       Stop::kEndTurn,
       15696,
       2479},
      {Provider::kAnthropic,
       "anthropic/anthropic-code-execution-20260120-prompt-cache.1",
       R"(The sum of the squar)",
       62,
       {},
       Stop::kEndTurn,
       9632,
       198,
       false},
      {Provider::kAnthropic,
       "anthropic/anthropic-code-execution-file-upload.1",
       R"(I'll analyze the CSV)",
       1028,
       {},
       Stop::kEndTurn,
       11505,
       1103},
      {Provider::kAnthropic,
       "anthropic/anthropic-compaction.1",
       R"(Based on the convers)",
       8581,
       {},
       Stop::kEndTurn,
       612,
       2819},
      {Provider::kAnthropic,
       "anthropic/anthropic-fallback",
       R"(The printing press w)",
       66,
       {},
       Stop::kEndTurn,
       412,
       264,
       false},
      {Provider::kAnthropic,
       "anthropic/anthropic-json-other-tool.1",
       R"()",
       0,
       {{R"(toolu_019Zvehfe1XQWweT1pm7okyt)", R"(weather)", R"({"location": "San Francisco"})"}},
       Stop::kToolCalls,
       843,
       28},
      {Provider::kAnthropic, "anthropic/anthropic-refusal", R"()", 0, {}, Stop::kRefusal, 18, 5},
      {Provider::kAnthropic,
       "anthropic/anthropic-text",
       R"(Hello! I'm doing wel)",
       108,
       {},
       Stop::kEndTurn,
       12,
       30},
      {Provider::kAnthropic,
       "anthropic/anthropic-web-fetch-tool.1",
       R"(I'll fetch the conte)",
       1666,
       {},
       Stop::kEndTurn,
       4230,
       446},
      {Provider::kAnthropic,
       "anthropic/anthropic-web-search-tool.1",
       R"(Based on my search r)",
       2402,
       {},
       Stop::kEndTurn,
       15665,
       795},
      {Provider::kAnthropic,
       "anthropic/duplicate-message-start",
       R"(Hello, World!)",
       13,
       {},
       Stop::kEndTurn,
       17,
       227,
       false},
      {Provider::kAnthropic,
       "anthropic/spliced-message-start",
       R"()",
       0,
       {{R"(toolu_second)", R"(test-tool)", R"({"value":"Sparkle Day"})"}},
       Stop::kToolCalls,
       17,
       65,
       false},
      {Provider::kOpenAiResponses,
       "open-responses/lmstudio-basic.1",
       R"(## The Festival of W)",
       1384,
       {},
       Stop::kEndTurn,
       31,
       282,
       false},
      {Provider::kOpenAiResponses,
       "openai/openai-apply-patch-tool.1",
       R"()",
       0,
       {},
       Stop::kEndTurn,
       642,
       67},
      {Provider::kOpenAiResponses,
       "openai/openai-client-tool-search.1",
       R"()",
       0,
       {},
       Stop::kEndTurn,
       65,
       31},
      {Provider::kOpenAiResponses,
       "openai/openai-client-tool-search.2",
       R"()",
       0,
       {{R"(call_Q7pq6EfVGRnauPLWSSYBGJ1l)", R"(get_weather)",
         R"({"location":"San Francisco, CA","unit":"fahrenheit"})"}},
       Stop::kToolCalls,
       467,
       26},
      {Provider::kOpenAiResponses,
       "openai/openai-compaction.1",
       R"(### Testing strategi)",
       3515,
       {},
       Stop::kEndTurn,
       51097,
       2505},
      {Provider::kOpenAiResponses,
       "openai/openai-custom-tool.1",
       R"()",
       0,
       {},
       Stop::kEndTurn,
       50,
       20},
      {Provider::kOpenAiResponses,
       "openai/openai-image-generation-tool.1",
       R"()",
       0,
       {},
       Stop::kEndTurn,
       2941,
       1249,
       false},
      {Provider::kOpenAiResponses,
       "openai/openai-tool-search.1",
       R"()",
       0,
       {{R"(call_pddfxhfOx4gY56zn4vIIEbFp)", R"(get_weather)",
         R"({"location":"San Francisco, CA","unit":"fahrenheit"})"}},
       Stop::kToolCalls,
       640,
       46},
      {Provider::kOpenAiResponses,
       "openai/openai-web-search-tool.1",
       R"(I checked today’s te)",
       3673,
       {},
       Stop::kEndTurn,
       31073,
       4416},
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
      if (end > from) add_event(lines.substr(from, end - from));
      from = end + 1;
    }
    if (GetParam().provider == Provider::kOpenAiChat) stream_ += "data: [DONE]\n\n";
  }

  // The framing that was stripped.
  void add_event(const std::string& data) {
    if (GetParam().provider == Provider::kAnthropic) {
      const auto event = parse_json(data, "event", {.size_bytes = 8u << 20});
      ASSERT_TRUE(event) << event.error().message;
      stream_ += "event: " + std::string(event->at("type").as_string()) + "\n";
    }
    stream_ += "data: " + data + "\n\n";
  }

  static AnswerOrFailure read(const std::vector<std::string_view>& pieces,
                              HttpEnd end = HttpEnd::kComplete) {
    std::string deltas;
    const auto reader = codec_of(GetParam().provider)
                            .reader({}, {}, {[&](std::string_view text) { deltas += text; }, {}});
    for (const std::string_view piece : pieces) reader->feed(piece);
    const HttpHeaders none;
    auto out = reader->finish({.end = end, .detail = "", .headers = none});
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

class StreamWithWhole : public RecordedStream {};

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

TEST_P(RecordedStream, RawItemsAreAnArrayThatGoesBackByteByByte) {
  const auto end = read({stream_});
  ASSERT_TRUE(end.answer) << end.failure.detail;
  const RawItems& raw = end.answer->raw;
  const Codec& codec = codec_of(GetParam().provider);
  ModelRequest request;
  request.messages.emplace_back().text = "hi";
  Message& said = request.messages.emplace_back();
  said.role = Message::Role::kAssistant;
  said.text = end.answer->text;
  said.calls = end.answer->calls;
  said.raw = raw;
  const std::string body = codec.encode(request, {}).body;
  ASSERT_TRUE(parse_json(body, "body", {.size_bytes = 8u << 20}));
  if (raw.dialect.empty()) return;
  EXPECT_EQ(raw.dialect, codec.name());
  const auto items = parse_json(raw.items, "raw", {.size_bytes = 8u << 20});
  ASSERT_TRUE(items && items->is_array()) << raw.items;
  EXPECT_FALSE(items->get_array().empty());
  EXPECT_NE(body.find(raw.items.substr(1, raw.items.size() - 2)), std::string::npos);
}

// The whole answer beside the stream is another run of the same request: what the model said may
// differ, its shape may not.
TEST_P(StreamWithWhole, AgreesWithTheWholeAnswerBesideIt) {
  const std::string body = slurp(base_ + ".json");
  ASSERT_FALSE(body.empty()) << base_;
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
    EXPECT_EQ(parse_json(whole.answer->calls[i].arguments, "whole").value(),
              parse_json(streamed.answer->calls[i].arguments, "streamed").value());
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

// Every byte of most streams; of the largest every n-th, so that the time stays bounded.
size_t stride_for(size_t bytes) {
  constexpr size_t kBytesToReadMax = 25u << 20;
  return 1 + bytes * bytes / kBytesToReadMax;
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
  for (size_t at = 0; at <= all.size(); at += stride_for(all.size())) {
    ASSERT_EQ(json_of({all.substr(0, at), all.substr(at)}), expected) << "split at " << at;
  }
}

TEST_P(RecordedStream, CutsNeverGiveAnotherAnswer) {
  const std::string kept = without_repetition(stream_);
  const auto full = read({kept});
  ASSERT_TRUE(full.answer);
  size_t answered = 0;
  for (size_t size = 0; size < kept.size(); size += stride_for(kept.size())) {
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
  // Only the last event of the Responses API ends an answer.
  if (GetParam().provider != Provider::kOpenAiResponses) EXPECT_GT(answered, 0u);
}

std::string name_of(const testing::TestParamInfo<Fixture>& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

std::vector<Fixture> with_whole() {
  std::vector<Fixture> out;
  for (const Fixture& fixture : fixtures()) {
    if (fixture.has_whole) out.push_back(fixture);
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, RecordedStream, testing::ValuesIn(fixtures()), name_of);
INSTANTIATE_TEST_SUITE_P(All, StreamWithWhole, testing::ValuesIn(with_whole()), name_of);

}  // namespace
}  // namespace perdure
