#include "runtime/trace_exporter.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "model/retry_hint.h"

namespace perdure::runtime {
namespace {

constexpr size_t kBatchBytes = 1u << 20;  // of frames
constexpr size_t kAnswerMaxBytes = 64 * 1024;
constexpr int64_t kIdleMs = 1'000;
constexpr int64_t kBackoffFirstMs = 1'000;
constexpr int64_t kBackoffMaxMs = 60'000;

// Of an answer that took the request: {"partialSuccess": {"rejectedSpans": "3"}}.
uint64_t rejected_spans(std::string_view body) {
  const auto parsed = parse_json(body, "answer");
  if (!parsed) return 0;
  const auto count = find_pointer(*parsed, "/partialSuccess/rejectedSpans");
  if (!count || *count == nullptr) return 0;
  if ((*count)->is_int64())
    return static_cast<uint64_t>(std::max<int64_t>(0, (*count)->get_int64()));
  if (!(*count)->is_string()) return 0;
  return parse_u64((*count)->get_string()).value_or(0);
}

}  // namespace

TraceExporter::TraceExporter(TelemetryConfig config, TraceReader reader, Outside outside)
    : config_(std::move(config)), reader_(std::move(reader)), outside_(std::move(outside)) {}

TraceExporter::~TraceExporter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TraceExporter::start() {
  thread_ = std::thread([this] { run(); });
}

TraceFigures TraceExporter::figures() const {
  TraceFigures out{exported_, dropped_, failures_, 0};
  if (const int64_t oldest_ms = oldest_ms_; oldest_ms != 0) {
    out.lag_seconds =
        static_cast<double>(std::max<int64_t>(0, outside_.clock.unix_ms() - oldest_ms)) / 1e3;
  }
  return out;
}

void TraceExporter::wait(int64_t ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return stopping_; });
}

void TraceExporter::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    if (batch_.spans.empty() && !fill()) {
      wait(kIdleMs);
    } else {
      settle(send());
    }
  }
}

bool TraceExporter::fill() {
  for (;;) {
    auto next = reader_.next(kBatchBytes);
    if (!next) {
      log(LogLevel::kWarn, "telemetry.unreadable", {{"why", next.error().message}});
      return false;
    }
    if (next->unreadable > 0) {
      dropped_ += next->unreadable;
      log(LogLevel::kWarn, "telemetry.passed_over", {{"frames", std::to_string(next->unreadable)}});
    }
    if (next->frames == 0) return false;
    if (next->spans.empty()) continue;
    batch_ = std::move(*next);
    int64_t oldest_ms = INT64_MAX;
    for (const auto& span : batch_.spans) oldest_ms = std::min(oldest_ms, span.end_ms);
    oldest_ms_ = oldest_ms;
    return true;
  }
}

Result<HttpRequest> TraceExporter::request() const {
  HttpRequest request;
  request.url = config_.endpoint + "/v1/traces";
  request.headers = {{"Content-Type", "application/json"}};
  for (const auto& [name, reference] : config_.headers) {
    TRY_ASSIGN(std::string value, outside_.secrets(reference));
    request.headers.emplace_back(name, std::move(value));
  }
  request.body = telemetry::to_otlp_json(batch_.spans, outside_.version);
  request.timeouts = {
      .connect_ms = 5'000, .first_byte_ms = 10'000, .gap_ms = 10'000, .total_ms = 30'000};
  request.max_response_bytes = kAnswerMaxBytes;
  request.allow_private = config_.allow_private;
  return request;
}

TraceExporter::Verdict TraceExporter::send() {
  auto prepared = request();
  if (!prepared) {
    log(LogLevel::kWarn, "telemetry.not_sent", {{"why", prepared.error().message}});
    return Verdict::kLater;
  }
  std::optional<HttpResult> result;
  HttpCallbacks callbacks;
  callbacks.on_done = [&](HttpResult ended) {
    const std::lock_guard lock(mutex_);
    result = std::move(ended);
    changed_.notify_all();
  };
  const HttpClient::CallId call = outside_.http.send(std::move(*prepared), std::move(callbacks));
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return result || stopping_; });
  if (!result) {
    lock.unlock();
    outside_.http.cancel(call);
    lock.lock();
    changed_.wait(lock, [&] { return result.has_value(); });
  }
  return judge(*result);
}

// The rules of OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
TraceExporter::Verdict TraceExporter::judge(const HttpResult& result) {
  const bool answered = result.end == HttpResult::End::kComplete;
  if (answered && result.status >= 200 && result.status < 300) {
    dropped_ += std::min<uint64_t>(rejected_spans(result.body), batch_.spans.size());
    return Verdict::kTaken;
  }
  const bool later = !answered || result.status == 429 || result.status == 502 ||
                     result.status == 503 || result.status == 504;
  log(LogLevel::kWarn, later ? "telemetry.not_sent" : "telemetry.refused",
      {{"spans", std::to_string(batch_.spans.size())},
       {"why", answered ? fmt::format("HTTP {}", result.status) : result.detail}});
  if (!later) return Verdict::kRefused;
  backoff_ms_ = std::max(
      backoff_ms_,
      std::min(kBackoffMaxMs, retry_after_ms(result.headers, false, outside_.clock.unix_ms())));
  return Verdict::kLater;
}

void TraceExporter::settle(Verdict verdict) {
  if (verdict == Verdict::kLater) {
    ++failures_;
    backoff_ms_ = std::max(backoff_ms_, kBackoffFirstMs);
    wait(backoff_ms_);
    backoff_ms_ = std::min(2 * backoff_ms_, kBackoffMaxMs);
    return;
  }
  backoff_ms_ = 0;
  (verdict == Verdict::kTaken ? exported_ : dropped_) += batch_.spans.size();
  if (const Status noted = outside_.note(batch_.upto); !noted) {
    log(LogLevel::kWarn, "telemetry.not_noted", {{"why", noted.error().message}});
  }
  batch_ = {};
  oldest_ms_ = 0;
}

}  // namespace perdure::runtime
