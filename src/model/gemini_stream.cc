#include "model/gemini_stream.h"

#include "model/gemini_errors.h"

namespace perdure {

GeminiStream::GeminiStream(ReaderEvents events, AnswerLimits limits)
    : limits_(limits),
      assembly_(std::move(events.on_delta), limits),
      body_([this](const SseEvent& event) { read_event(event); }, limits.sse) {}

void GeminiStream::feed(std::string_view bytes) {
  if (auto read = body_.feed(bytes); !read) assembly_.spoil(read.error().message);
}

void GeminiStream::read_event(const SseEvent& event) {
  const auto piece = parse_json(event.data, "piece", {.size_bytes = limits_.sse.event_bytes});
  if (!piece) return assembly_.spoil(piece.error().message);
  if (!piece->is_object()) return assembly_.spoil("a piece is not an object");
  assembly_.add(piece->get_object());
}

CallFailure GeminiStream::no_answer(const AnswerEnd& end) const {
  const bool complete = end.end == HttpResult::End::kComplete;
  if (complete && !assembly_.recognised())
    return malformed_answer("it is no answer of generateContent");
  return ended_early(end.end, end.detail);
}

AnswerOrFailure GeminiStream::finish(const AnswerEnd& end) {
  const bool clean = end.end == HttpResult::End::kComplete;
  if (body_.is_object()) {
    if (!clean) return {{}, no_answer(end)};
    if (const auto object = body_.object()) {
      assembly_.add(*object);
    } else {
      assembly_.spoil(object.error().message);
    }
  }
  if (const auto& error = assembly_.error()) {
    return {{}, assembly_.broken_off(classify_gemini_error(*error, end))};
  }
  if (!assembly_.damage().empty()) return {{}, malformed_answer(assembly_.damage())};
  if (!assembly_.finished()) return {{}, no_answer(end)};
  if (!clean && assembly_.grew_after_finish()) return {{}, no_answer(end)};
  if (auto failure = assembly_.failure()) return {{}, std::move(*failure)};
  auto answer = assembly_.take();
  if (!answer) return {{}, malformed_answer(assembly_.damage())};
  return {std::move(answer), {}};
}

}  // namespace perdure
