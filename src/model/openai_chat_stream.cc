#include "model/openai_chat_stream.h"

#include <fmt/core.h>

namespace perdure {
namespace {

CallFailure malformed(std::string_view why) {
  return {FailureClass::kMalformedOutput, Outcome::kInDoubt, 0,
          fmt::format("the answer cannot be read: {}", why)};
}

}  // namespace

OpenAiChatStream::OpenAiChatStream(OnDelta on_delta, AnswerLimits limits)
    : limits_(limits),
      assembly_(std::move(on_delta), limits.text_bytes, limits.calls),
      sse_([this](const SseEvent& event) { read_event(event); }, limits.sse) {}

void OpenAiChatStream::feed(std::string_view bytes) {
  if (form_ == Form::kUndecided) {
    // No line of an event stream begins with '{'. White space before it means nothing to either.
    const size_t first = bytes.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
      if (!sse_.feed(bytes)) return;  // counts towards the limit of a line
      return;
    }
    form_ = bytes[first] == '{' ? Form::kObject : Form::kEvents;
    if (form_ == Form::kObject) bytes.remove_prefix(first);
  }
  if (form_ == Form::kEvents) {
    if (auto read = sse_.feed(bytes); !read) assembly_.spoil(read.error().message);
  } else if (body_.size() + bytes.size() > limits_.sse.event_bytes) {
    assembly_.spoil("the answer is larger than is accepted");
  } else {
    body_ += bytes;
  }
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

void OpenAiChatStream::read_object() {
  const auto body = parse_json(body_, "completion", {.size_bytes = limits_.sse.event_bytes});
  if (!body) return assembly_.spoil(body.error().message);
  assembly_.add(body->get_object());
}

CallFailure OpenAiChatStream::no_answer(HttpResult::End end, std::string_view end_detail) const {
  if (end == HttpResult::End::kComplete && done_) {
    return malformed("the stream ended without a finish_reason");
  }
  if (end == HttpResult::End::kComplete && !assembly_.recognised()) {
    return malformed("it is not a completion");
  }
  if (end == HttpResult::End::kComplete) {
    return {FailureClass::kAmbiguous, Outcome::kInDoubt, 0,
            "the stream ended before the answer did"};
  }
  return classify(200, {}, "", end, end_detail, 0);
}

OpenAiChatStream::End OpenAiChatStream::finish(HttpResult::End end, std::string_view end_detail,
                                               const HttpHeaders& headers, int64_t now_ms) {
  const bool clean = end == HttpResult::End::kComplete || done_;
  if (form_ == Form::kObject && !clean) return {{}, no_answer(end, end_detail)};
  if (form_ == Form::kObject) read_object();
  if (const auto& error = assembly_.error()) {
    return {{}, classify_stream_error(*error, headers, now_ms)};
  }
  if (!assembly_.damage().empty()) return {{}, malformed(assembly_.damage())};
  if (!assembly_.finished()) return {{}, no_answer(end, end_detail)};
  if (!clean && assembly_.grew_after_finish()) return {{}, no_answer(end, end_detail)};
  auto answer = assembly_.take();
  if (!answer) return {{}, malformed(assembly_.damage())};
  return {std::move(answer), {}};
}

}  // namespace perdure
