#include "base/sse.h"

#include <fmt/core.h>

#include "base/text.h"

namespace perdure {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr uint64_t kRetryMaxMs = 366ULL * 86'400'000;

}  // namespace

SseParser::SseParser(OnEvent on_event, SseLimits limits)
    : on_event_(std::move(on_event)), limits_(limits) {}

Status SseParser::feed(std::string_view bytes) {
  while (!bytes.empty() && !error_) {
    if (after_cr_) {
      after_cr_ = false;
      if (bytes.front() == '\n') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    const size_t end = bytes.find_first_of("\r\n");
    Status done = append(bytes.substr(0, end));
    if (done && end != std::string_view::npos) {
      after_cr_ = bytes[end] == '\r';
      done = end_line();
    }
    if (!done) error_ = std::move(done).error();
    bytes = end == std::string_view::npos ? std::string_view() : bytes.substr(end + 1);
  }
  if (error_) return tl::unexpected(*error_);
  return {};
}

Status SseParser::append(std::string_view bytes) {
  if (line_.size() + bytes.size() > limits_.line_bytes) {
    return fail(Code::kTooLarge,
                fmt::format("event stream: a line is longer than {} bytes", limits_.line_bytes));
  }
  line_ += bytes;
  return {};
}

Status SseParser::end_line() {
  std::string_view line = line_;
  if (first_line_ && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  first_line_ = false;
  Status done;
  if (line.empty()) {
    dispatch();
  } else if (const size_t colon = line.find(':'); colon == std::string_view::npos) {
    done = field(line, "");
  } else if (colon > 0) {  // a line that begins with a colon is a comment
    std::string_view value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    done = field(line.substr(0, colon), value);
  }
  line_.clear();
  return done;
}

Status SseParser::field(std::string_view name, std::string_view value) {
  if (name == "data") {
    if (event_.data.size() + value.size() + 1 > limits_.event_bytes) {
      return fail(Code::kTooLarge, fmt::format("event stream: an event is longer than {} bytes",
                                               limits_.event_bytes));
    }
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  } else if (name == "event") {
    event_.type = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) event_.last_id = value;
  } else if (name == "retry") {
    const auto ms = parse_u64(value);
    if (ms && *ms <= kRetryMaxMs) retry_ms_ = static_cast<int64_t>(*ms);
  }
  return {};
}

void SseParser::dispatch() {
  if (has_data_) {
    if (event_.type.empty()) event_.type = "message";
    on_event_(event_);
  }
  event_.type.clear();
  event_.data.clear();
  has_data_ = false;
}

}  // namespace perdure
