#include "model/bedrock_stream.h"

#include "model/bedrock_errors.h"

namespace perdure {

BedrockStream::BedrockStream(ReaderEvents events, AnswerLimits limits)
    : limits_(limits),
      assembly_(std::move(events.on_delta), limits),
      events_([this](const AwsEvent& event) { read_event(event); }, limits.sse.event_bytes) {}

void BedrockStream::feed(std::string_view bytes) {
  if (auto read = events_.feed(bytes); !read) assembly_.spoil(read.error().message);
}

void BedrockStream::read_event(const AwsEvent& event) {
  if (error_) return;
  if (event.message_type != "event") {
    error_ = event;
    return;
  }
  const auto payload = parse_json(event.payload, "event " + one_line(event.name),
                                  {.size_bytes = limits_.sse.event_bytes});
  if (!payload) return assembly_.spoil(payload.error().message);
  if (!payload->is_object()) return assembly_.spoil("an event is not an object");
  assembly_.add(event.name, payload->get_object());
}

CallFailure BedrockStream::no_answer(const AnswerEnd& end) const {
  const bool complete = end.end == HttpResult::End::kComplete;
  if (complete && !assembly_.recognised())
    return malformed_answer("it is no answer of ConverseStream");
  return ended_early(end.end, end.detail);
}

AnswerOrFailure BedrockStream::finish(const AnswerEnd& end) {
  if (error_) return {{}, assembly_.broken_off(classify_bedrock_event(*error_, end))};
  if (!assembly_.damage().empty()) return {{}, malformed_answer(assembly_.damage())};
  if (!assembly_.finished()) return {{}, no_answer(end)};
  if (auto failure = assembly_.failure()) return {{}, std::move(*failure)};
  const std::string* request_id = find_header(end.headers, "x-amzn-requestid");
  auto answer = assembly_.take(request_id != nullptr ? one_line(*request_id) : "");
  if (!answer) return {{}, malformed_answer(assembly_.damage())};
  return {std::move(answer), {}};
}

}  // namespace perdure
