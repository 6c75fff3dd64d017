#pragma once
// Reads an answer of the Chat Completions API: a stream of chat.completion.chunk events, or one
// chat.completion object from a server that ignores `stream`. Sans I/O: bytes in at any split.
//
// An answer is whole when a finish_reason came; what was cut before is ambiguous and never an
// answer. Tolerated: tool calls without index or id (an id is then derived from the answer), whole
// calls in one piece, one index for several calls, usage in any chunk, reasoning in any member
// (it is not kept). Arguments are kept as written, valid JSON or not: the agent checks them.
#include <string_view>

#include "model/codec.h"
#include "model/events_or_object.h"
#include "model/openai_chat_assembly.h"

namespace perdure {

class OpenAiChatStream final : public AnswerReader {
 public:
  explicit OpenAiChatStream(ReaderEvents events, AnswerLimits limits = {});
  OpenAiChatStream(const OpenAiChatStream&) = delete;
  OpenAiChatStream& operator=(const OpenAiChatStream&) = delete;

  void feed(std::string_view bytes) override;
  AnswerOrFailure finish(const AnswerEnd& end) override;

 private:
  void read_event(const SseEvent& event);
  CallFailure no_answer(const AnswerEnd& end) const;

  AnswerLimits limits_;
  OpenAiChatAssembly assembly_;
  EventsOrObject body_;
  bool done_ = false;  // [DONE] came
};

}  // namespace perdure
