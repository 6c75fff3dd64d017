// Any bytes as a provider's answer: the reader ends, the result does not depend on the split, and
// an answer is one that the rest of the program can store and send back.
#include <cstdint>
#include <set>

#include "base/assert.h"
#include "base/text.h"
#include "journal/message_json.h"
#include "model/openai_chat_stream.h"
#include "model/openai_errors.h"

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

void check(const ModelAnswer& answer, const std::string& deltas) {
  PERDURE_ASSERT(deltas == answer.text, "deltas are the text");
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

Seen read(std::string_view bytes, size_t step, HttpResult::End how) {
  Seen seen;
  OpenAiChatStream stream({[&](std::string_view text) { seen.deltas += text; }}, kLimits);
  for (size_t at = 0; at < bytes.size(); at += step) stream.feed(bytes.substr(at, step));
  const auto end = stream.finish({.end = how, .detail = "", .headers = kNoHeaders});
  PERDURE_ASSERT(seen.deltas.size() <= kLimits.text_bytes, "text is bounded");
  if (end.answer) {
    check(*end.answer, seen.deltas);
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

}  // namespace
}  // namespace perdure

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using perdure::read;
  using End = perdure::HttpResult::End;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const End how : {End::kComplete, End::kCut}) {
    const auto whole = read(bytes, size + 1, how);
    PERDURE_ASSERT(read(bytes, 1, how) == whole, "byte by byte gives the same");
  }
  for (const int status : {400, 429, 500}) {
    const auto failure = perdure::classify_openai(status, bytes, {.headers = perdure::kNoHeaders});
    PERDURE_ASSERT(failure.outcome != perdure::Outcome::kSucceeded, "an error is no success");
    PERDURE_ASSERT(perdure::is_valid_utf8(failure.detail), "details are UTF-8");
  }
  return 0;
}
