#pragma once
// Sends spans to a collector: OTLP over HTTP, in JSON. On a thread of its own, which reads durable
// frames and holds nobody up. What the collector took is noted; after a restart the export goes on
// behind that note, so a span comes at least once, and always with the same id.
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "model/provider.h"
#include "ports/clock.h"
#include "ports/http_client.h"
#include "ports/trace_figures.h"
#include "runtime/trace_reader.h"

namespace perdure::runtime {

struct TelemetryConfig {
  std::string endpoint;  // "/v1/traces" is added; empty: nothing is exported
  std::vector<std::pair<std::string, std::string>> headers;  // name, and a reference to the value
  bool allow_private = false;
};

class TraceExporter {
 public:
  struct Outside {
    HttpClient& http;
    Clock& clock;
    SecretSource secrets;
    std::function<Status(Pos)> note;  // keeps how far the collector is, for the next start
    std::string version;              // of this program
  };

  TraceExporter(TelemetryConfig config, TraceReader reader, Outside outside);
  ~TraceExporter();  // ends the request that is under way
  TraceExporter(const TraceExporter&) = delete;
  TraceExporter& operator=(const TraceExporter&) = delete;

  void start();
  TraceFigures figures() const;  // any thread

 private:
  enum class Verdict : uint8_t { kTaken, kRefused, kLater };

  void run();
  bool fill();  // false: there is nothing to send
  Verdict send();
  Verdict judge(const HttpResult& result);
  Result<HttpRequest> request() const;
  void wait(int64_t ms);
  void settle(Verdict verdict);

  const TelemetryConfig config_;
  TraceReader reader_;
  Outside outside_;
  TraceReader::Batch batch_;  // not taken yet
  int64_t backoff_ms_ = 0;
  std::atomic<uint64_t> exported_{0}, dropped_{0}, failures_{0};
  std::atomic<int64_t> oldest_ms_{0};  // of the spans that wait; 0: none does
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace perdure::runtime
