#pragma once
// The body of an answer, which is an event stream, or one JSON object from a server that ignores
// that a stream was asked for. Bytes in at any split.
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/sse.h"

namespace perdure {

class EventsOrObject {
 public:
  EventsOrObject(SseParser::OnEvent on_event, SseLimits limits);

  // Fails when the answer is larger than is accepted.
  Status feed(std::string_view bytes);
  bool is_object() const { return form_ == Form::kObject; }
  // is_object(), once, after the last byte.
  Result<json::object> object() const;

 private:
  SseLimits limits_;
  SseParser sse_;
  enum class Form : uint8_t { kUndecided, kEvents, kObject } form_ = Form::kUndecided;
  std::string body_;  // Form::kObject
};

}  // namespace perdure
