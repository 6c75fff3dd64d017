#include "model/openai_chat_stream.h"

#include "model/openai_errors.h"

namespace perdure {

OpenAiChatStream::OpenAiChatStream(ReaderEvents events, AnswerLimits limits)
    : limits_(limits),
      assembly_(std::move(events.on_delta), limits),
      body_([this](const SseEvent& event) { read_event(event); }, limits.sse) {}

void OpenAiChatStream::feed(std::string_view bytes) {
  if (auto read = body_.feed(bytes); !read) assembly_.spoil(read.error().message);
}

void OpenAiChatStream::read_event(const SseEvent& event) {
  if (done_) return;
  if (event.data == "[DONE]") {
    done_ = true;
    return;
  }
  const auto chunk = parse_json(event.data, "chunk", {.size_bytes = limits_.sse.event_bytes});
  if (!chunk) return assembly_.spoil(chunk.error().message);
  if (!chunk->is_object()) return assembly_.spoil("a chunk is not an object");
  const json::object& object = chunk->get_object();
  if (event.type == "error" && !object.contains("error")) {
    assembly_.add({{"error", object}});
  } else {
    assembly_.add(object);
  }
}

CallFailure OpenAiChatStream::no_answer(const AnswerEnd& end) const {
  const bool complete = end.end == HttpResult::End::kComplete;
  if (complete && done_) return malformed_answer("the stream ended without a finish_reason");
  if (complete && !assembly_.recognised()) return malformed_answer("it is not a completion");
  return ended_early(end.end, end.detail);
}

AnswerOrFailure OpenAiChatStream::finish(const AnswerEnd& end) {
  const bool clean = end.end == HttpResult::End::kComplete || done_;
  if (body_.is_object()) {
    if (!clean) return {{}, no_answer(end)};
    if (const auto object = body_.object()) {
      assembly_.add(*object);
    } else {
      assembly_.spoil(object.error().message);
    }
  }
  if (const auto& error = assembly_.error()) {
    return {{}, assembly_.broken_off(classify_openai_error(*error, end))};
  }
  if (!assembly_.damage().empty()) return {{}, malformed_answer(assembly_.damage())};
  if (!assembly_.finished()) return {{}, no_answer(end)};
  if (!clean && assembly_.grew_after_finish()) return {{}, no_answer(end)};
  auto answer = assembly_.take();
  if (!answer) return {{}, malformed_answer(assembly_.damage())};
  return {std::move(answer), {}};
}

}  // namespace perdure
