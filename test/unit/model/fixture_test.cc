// Recorded streams of real providers, from the folder that PERDURE_FIXTURES names.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "journal/message_json.h"
#include "model/codec.h"
#include "recorded_answers.h"

namespace perdure {
namespace {

using HttpEnd = HttpResult::End;

using Provider = ModelConfig::Provider;

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class RecordedStream : public testing::TestWithParam<test::RecordedAnswer> {
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

void expect_fields(const test::RecordedAnswer& expected, const ModelAnswer& got) {
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

std::string name_of(const testing::TestParamInfo<test::RecordedAnswer>& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

std::vector<test::RecordedAnswer> with_whole() {
  std::vector<test::RecordedAnswer> out;
  for (const test::RecordedAnswer& fixture : test::recorded_answers()) {
    if (fixture.has_whole) out.push_back(fixture);
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, RecordedStream, testing::ValuesIn(test::recorded_answers()), name_of);
INSTANTIATE_TEST_SUITE_P(All, StreamWithWhole, testing::ValuesIn(with_whole()), name_of);

}  // namespace
}  // namespace perdure
