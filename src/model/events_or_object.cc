#include "model/events_or_object.h"

namespace perdure {

EventsOrObject::EventsOrObject(SseParser::OnEvent on_event, SseLimits limits)
    : limits_(limits), sse_(std::move(on_event), limits) {}

Status EventsOrObject::feed(std::string_view bytes) {
  if (form_ == Form::kUndecided) {
    // No line of an event stream begins with '{'. White space before it means nothing to either.
    const size_t first = bytes.find_first_not_of(" \t\r\n");
    // Fed all the same: it counts towards the limit of a line.
    if (first == std::string_view::npos) return sse_.feed(bytes);
    form_ = bytes[first] == '{' ? Form::kObject : Form::kEvents;
    if (form_ == Form::kObject) bytes.remove_prefix(first);
  }
  if (form_ == Form::kEvents) return sse_.feed(bytes);
  if (body_.size() + bytes.size() > limits_.event_bytes) {
    return fail(Code::kTooLarge, "the answer is larger than is accepted");
  }
  body_ += bytes;
  return {};
}

Result<json::object> EventsOrObject::object() const {
  TRY_ASSIGN(json::value body, parse_json(body_, "answer", {.size_bytes = limits_.event_bytes}));
  if (!body.is_object()) return fail(Code::kInvalid, "answer: expected an object");
  return std::move(body.get_object());
}

}  // namespace perdure
