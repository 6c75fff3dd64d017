#pragma once
// Reads an answer of streamGenerateContent: events with a GenerateContentResponse each, or one such
// object. Sans I/O: bytes in at any split.
//
// An answer is whole when a finishReason came, or the prompt was blocked; there is no other mark of
// the end. A call may end with any reason, so calls are looked for, not announced.
#include <string_view>

#include "model/codec.h"
#include "model/events_or_object.h"
#include "model/gemini_assembly.h"

namespace perdure {

class GeminiStream final : public AnswerReader {
 public:
  explicit GeminiStream(ReaderEvents events, AnswerLimits limits = {});
  GeminiStream(const GeminiStream&) = delete;
  GeminiStream& operator=(const GeminiStream&) = delete;

  void feed(std::string_view bytes) override;
  AnswerOrFailure finish(const AnswerEnd& end) override;

 private:
  void read_event(const SseEvent& event);
  CallFailure no_answer(const AnswerEnd& end) const;

  AnswerLimits limits_;
  GeminiAssembly assembly_;
  EventsOrObject body_;
};

}  // namespace perdure
