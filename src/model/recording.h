#pragma once
// Recorded exchanges with a model: a file of JSON lines, one exchange a line,
//   {"request_sha256", "request", "response": {"end", "status", "headers", "chunks", "detail"}}
// in the order in which they ended. `request` is the whole body; a chunk is text, or {"hex"} when
// it is not UTF-8. No request header is written, so no key; of the answer's headers only those that
// decide something.
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/codec.h"
#include "ports/http_client.h"

namespace perdure {

// What stands in a recording for a request: its body, or, where there is none, "GET /path".
std::string recorded_form(const WireRequest& request);

struct RecordedExchange {
  std::string request;
  HttpResult result;  // `body` is empty
  std::vector<std::string> chunks;

  // Keeps what a recording holds of it.
  void set_result(const HttpResult& full);
};

std::string exchange_to_json_line(const RecordedExchange& exchange);
Result<RecordedExchange> exchange_from_json_line(std::string_view line);

// Errors name the file and the line.
Result<std::vector<RecordedExchange>> load_recording(const std::string& path);

// Appends to a file. Thread-safe. A line that cannot be written is logged and lost: a recording
// never stops a call.
class ExchangeRecorder {
 public:
  static Result<std::shared_ptr<ExchangeRecorder>> open(const std::string& path);
  ~ExchangeRecorder();
  ExchangeRecorder(const ExchangeRecorder&) = delete;
  ExchangeRecorder& operator=(const ExchangeRecorder&) = delete;

  void append(const RecordedExchange& exchange);

 private:
  explicit ExchangeRecorder(std::FILE* file) : file_(file) {}

  std::mutex mutex_;
  std::FILE* file_;
};

}  // namespace perdure
