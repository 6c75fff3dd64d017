#pragma once
// Server-sent events, as the HTML standard says, 9.2.6 "Interpreting an event stream":
// https://html.spec.whatwg.org/multipage/server-sent-events.html
// Bytes in at any split, events out; no I/O. What stands behind the last blank line is no event.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace perdure {

struct SseEvent {
  std::string type;  // "message" when the stream names none
  std::string data;
  std::string last_id;
};

struct SseLimits {
  size_t line_bytes = 4u << 20;
  size_t event_bytes = 8u << 20;  // of `data`
};

class SseParser {
 public:
  using OnEvent = std::function<void(const SseEvent&)>;

  explicit SseParser(OnEvent on_event, SseLimits limits = {});

  // Code::kTooLarge when a limit is passed; every later call fails the same way.
  Status feed(std::string_view bytes);

  // The last `retry` field.
  std::optional<int64_t> retry_ms() const { return retry_ms_; }

 private:
  Status append(std::string_view bytes);
  Status end_line();
  Status field(std::string_view name, std::string_view value);
  void dispatch();

  OnEvent on_event_;
  SseLimits limits_;
  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool first_line_ = true;
  bool after_cr_ = false;
  std::optional<int64_t> retry_ms_;
  std::optional<Error> error_;
};

}  // namespace perdure
