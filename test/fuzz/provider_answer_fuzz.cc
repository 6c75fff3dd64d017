// Any bytes as a provider's answer: the reader ends, the result does not depend on the split, and
// an answer is one that the rest of the program can store and send back.
#include <cstdint>
#include <memory>
#include <set>

#include "aws_event_messages.h"
#include "base/assert.h"
#include "base/text.h"
#include "journal/message_json.h"
#include "model/anthropic_errors.h"
#include "model/anthropic_stream.h"
#include "model/bedrock_errors.h"
#include "model/bedrock_stream.h"
#include "model/gemini_errors.h"
#include "model/gemini_stream.h"
#include "model/openai_chat_stream.h"
#include "model/openai_errors.h"
#include "model/openai_responses_stream.h"

namespace perdure {
namespace {

constexpr AnswerLimits kLimits{.text_bytes = 512, .calls = 4, .sse = {2048, 2048}};
const HttpHeaders kNoHeaders;

struct Seen {
  std::string deltas;
  std::string answer;
  FailureClass failure = FailureClass::kNone;
  std::string detail;
  bool operator==(const Seen&) const = default;
};

void check(const ModelAnswer& answer) {
  PERDURE_ASSERT(answer.calls.size() <= kLimits.calls, "calls are bounded");
  PERDURE_ASSERT(is_valid_utf8(answer.text), "text is UTF-8");
  std::set<std::string> ids;
  for (const ToolCall& call : answer.calls) {
    PERDURE_ASSERT(!call.name.empty() && ids.insert(call.id).second, "calls can be told apart");
  }
  const std::string stored = answer_to_json(answer);
  const auto read = answer_from_json(stored);
  PERDURE_ASSERT(read && answer_to_json(*read) == stored, "the stored form is kept");
}

template <class Reader>
Seen read(std::string_view bytes, size_t step, HttpResult::End how) {
  Seen seen;
  Reader stream({[&](std::string_view text) { seen.deltas += text; }}, kLimits);
  for (size_t at = 0; at < bytes.size(); at += step) stream.feed(bytes.substr(at, step));
  const auto end = stream.finish({.end = how, .detail = "", .headers = kNoHeaders});
  PERDURE_ASSERT(seen.deltas.size() <= kLimits.text_bytes, "text is bounded");
  if (end.answer) {
    check(*end.answer);
    // Whole items of the Responses API say what their text is, whatever was streamed of them.
    const bool provisional = std::is_same_v<Reader, OpenAiResponsesStream>;
    PERDURE_ASSERT(provisional || seen.deltas == end.answer->text, "deltas are the text");
    seen.answer = answer_to_json(*end.answer);
  } else {
    PERDURE_ASSERT(end.failure.failure != FailureClass::kNone, "there is a reason");
    PERDURE_ASSERT(end.failure.outcome != Outcome::kSucceeded, "no success without an answer");
    PERDURE_ASSERT(is_valid_utf8(end.failure.detail), "details are UTF-8");
  }
  seen.failure = end.failure.failure;
  seen.detail = end.failure.detail;
  return seen;
}

template <class Reader>
void read_all(std::string_view bytes) {
  for (const HttpResult::End how : {HttpResult::End::kComplete, HttpResult::End::kCut}) {
    const Seen whole = read<Reader>(bytes, bytes.size() + 1, how);
    PERDURE_ASSERT(read<Reader>(bytes, 1, how) == whole, "byte by byte gives the same");
  }
}

// Each line is a message: its first word the name of the event, the rest the payload. A name that
// begins with '!' is that of an exception.
std::string as_messages(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const std::string_view name = line.substr(0, std::min<size_t>(line.find(' '), 255));
    const std::string_view payload = line.substr(std::min(name.size() + 1, line.size()));
    out += name.starts_with('!') ? test::aws_exception(name.substr(1), payload)
                                 : test::aws_event(name, payload);
  }
  return out;
}

void check_failure(const CallFailure& failure) {
  PERDURE_ASSERT(failure.outcome != Outcome::kSucceeded, "an error is no success");
  PERDURE_ASSERT(failure.retry_after_ms >= 0, "nobody waits into the past");
  PERDURE_ASSERT(is_valid_utf8(failure.detail), "details are UTF-8");
}

}  // namespace
}  // namespace perdure

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace perdure;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_all<OpenAiChatStream>(bytes);
  read_all<OpenAiResponsesStream>(bytes);
  read_all<AnthropicStream>(bytes);
  read_all<GeminiStream>(bytes);
  read_all<BedrockStream>(bytes);
  read_all<BedrockStream>(as_messages(bytes));
  for (const int status : {400, 429, 500}) {
    check_failure(classify_openai(status, bytes, {.headers = kNoHeaders}));
    check_failure(classify_anthropic(status, bytes, {.headers = kNoHeaders}));
    check_failure(classify_gemini(status, bytes, {.headers = kNoHeaders}));
    check_failure(classify_bedrock(status, bytes, {.headers = kNoHeaders}));
  }
  return 0;
}
