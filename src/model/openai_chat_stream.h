#pragma once
// Reads an answer of the Chat Completions API: a stream of chat.completion.chunk events, or one
// chat.completion object from a server that ignores `stream`. Sans I/O: bytes in at any split.
//
// An answer is whole when a finish_reason came; what was cut before is ambiguous and never an
// answer. Tolerated: tool calls without index or id (an id is then derived from the answer), whole
// calls in one piece, one index for several calls, usage in any chunk, reasoning in any member
// (it is not kept). Arguments are kept as written, valid JSON or not: the agent checks them.
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/sse.h"
#include "journal/message.h"
#include "journal/terms.h"
#include "model/answer_assembly.h"
#include "model/openai_errors.h"

namespace perdure {

struct AnswerLimits {
  size_t text_bytes = 8u << 20;  // text, refusal and arguments together
  size_t calls = 256;
  SseLimits sse;
};

class OpenAiChatStream {
 public:
  using OnDelta = std::function<void(std::string_view text)>;

  explicit OpenAiChatStream(OnDelta on_delta, AnswerLimits limits = {});
  OpenAiChatStream(const OpenAiChatStream&) = delete;
  OpenAiChatStream& operator=(const OpenAiChatStream&) = delete;

  void feed(std::string_view bytes);

  // Exactly one of them holds.
  struct End {
    std::optional<ModelAnswer> answer;
    CallFailure failure;
  };
  // Once, after the last byte. `end` is how the transport saw it; headers and now_ms are for an
  // error inside the stream.
  End finish(HttpResult::End end, std::string_view end_detail, const HttpHeaders& headers,
             int64_t now_ms);

 private:
  void read_event(const SseEvent& event);
  void read_object();
  CallFailure no_answer(HttpResult::End end, std::string_view end_detail) const;

  AnswerLimits limits_;
  AnswerAssembly assembly_;
  SseParser sse_;
  enum class Form : uint8_t { kUndecided, kEvents, kObject } form_ = Form::kUndecided;
  std::string body_;   // Form::kObject
  bool done_ = false;  // [DONE] came
};

}  // namespace perdure
