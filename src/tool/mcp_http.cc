#include "tool/mcp_http.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "base/sse.h"
#include "tool/mcp_http_answer.h"

namespace perdure {
namespace {

using mcp::RequestId;

constexpr size_t kRefusalMaxBytes = 4096;
constexpr size_t kSessionIdMaxBytes = 1024;
constexpr int64_t kRetryMs = 1000;  // until the stream says otherwise
constexpr int64_t kRetryMaxMs = 60'000;
constexpr int kResumesMax = 5;  // in a row, without anything new
constexpr int64_t kDayMs = 24LL * 3600 * 1000;
constexpr int64_t kForeverMs = 36'500 * kDayMs;

// How long a request may take is its caller's business: it forgets the request in time, and a
// person who is asked meanwhile has all the time.
HttpTimeouts patience_for(RequestId request) {
  const int64_t limit_ms = request == 0 ? kDayMs : kForeverMs;
  return {
      .connect_ms = 10'000, .first_byte_ms = limit_ms, .gap_ms = limit_ms, .total_ms = limit_ms};
}

bool is_visible(std::string_view text) {
  return !text.empty() && text.size() <= kSessionIdMaxBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

// A stream of no request is that of a session; without one, nothing says whose it is.
RequestId stream_of(RequestId request, bool in_session) {
  return request != 0 || in_session ? request : mcp::kForeignStream;
}

bool is_over(HttpResult::End end, int status) {
  return end == HttpResult::End::kComplete && status == 404;
}

// One exchange, and what takes it up again. `request` 0: the server's own stream, or a frame that
// has no answer.
struct Stream {
  uint64_t number = 0;
  RequestId request = 0;
  bool is_listening = false;
  bool in_session = false;  // it named a session
  int status = 0;
  McpBody body = McpBody::kNone;
  std::string text;  // JSON so far, or why it was refused
  std::unique_ptr<SseParser> events;
  std::vector<SseEvent> arrived;
  std::string last_id;
  int resumes = 0;
  std::optional<HttpClient::CallId> call;
};

class HttpTransport final : public McpTransport,
                            public std::enable_shared_from_this<HttpTransport> {
 public:
  HttpTransport(McpServerConfig config, HttpHeaders headers, Masker masker, HttpClient& http,
                Timers& timers, Clock& clock, McpSink sink)
      : config_(std::move(config)),
        headers_(std::move(headers)),
        masker_(std::move(masker)),
        http_(http),
        timers_(timers),
        clock_(clock),
        sink_(std::move(sink)) {}

  bool send(mcp::Frame frame, int64_t not_after_ms, const std::string& tenant) override;
  void agreed(const std::string& revision) override;
  void forget(RequestId request) override;
  void close() override;

 private:
  using Shared = std::shared_ptr<Stream>;
  struct Held {
    mcp::Frame frame;
    int64_t not_after_ms = 0;
    std::string tenant;
  };

  void post(mcp::Frame frame, int64_t not_after_ms, const std::string& tenant);
  void listen();
  void resume(const Shared& stream);
  void perform(const Shared& stream, HttpRequest request);
  HttpRequest request_of(std::string method) const;  // with the lock

  void take_head(const Shared& stream, int status, const HttpHeaders& headers);
  void take_body(const Shared& stream, std::string_view bytes);
  void end(const Shared& stream, HttpResult result);
  void end_of_frame(const Shared& stream, const HttpResult& result);
  void end_of_events(const Shared& stream, const HttpResult& result);
  void end_of_listening(const Shared& stream, const HttpResult& result);
  void lose(const Shared& stream, HttpResult result);
  McpLoss masked_loss(HttpResult result, bool in_session) const;
  void over(std::string why);
  bool is_wanted(const Shared& stream);
  void later(int64_t delay_ms, std::function<void(HttpTransport&)> work);

  const McpServerConfig config_;
  const HttpHeaders headers_;
  const Masker masker_;
  HttpClient& http_;
  Timers& timers_;
  Clock& clock_;
  const McpSink sink_;

  std::mutex mutex_;
  bool closed_ = false;
  std::string revision_;
  std::string session_;
  bool greeted_ = false;   // the server has taken notifications/initialized
  bool greeting_ = false;  // it is on its way: what follows waits
  std::deque<Held> held_;
  uint64_t last_number_ = 0;
  std::map<uint64_t, Shared> streams_;
};

bool HttpTransport::send(mcp::Frame frame, int64_t not_after_ms, const std::string& tenant) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    // Requests run side by side, and might overtake the end of the handshake.
    if (greeting_) {
      held_.push_back({std::move(frame), not_after_ms, tenant});
      return true;
    }
    greeting_ = !greeted_ && frame.request == 0 && !revision_.empty();
  }
  post(std::move(frame), not_after_ms, tenant);
  return true;
}

void HttpTransport::agreed(const std::string& revision) {
  const std::lock_guard lock(mutex_);
  revision_ = revision;
}

HttpRequest HttpTransport::request_of(std::string method) const {
  HttpRequest request;
  request.method = std::move(method);
  request.url = config_.url;
  request.headers = headers_;
  request.allow_private = config_.allow_private;
  if (!revision_.empty()) request.headers.emplace_back("MCP-Protocol-Version", revision_);
  if (!session_.empty()) request.headers.emplace_back("Mcp-Session-Id", session_);
  return request;
}

void HttpTransport::post(mcp::Frame frame, int64_t not_after_ms, const std::string& tenant) {
  const auto stream = std::make_shared<Stream>();
  stream->request = frame.request;
  HttpRequest request;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    stream->in_session = !session_.empty();
    request = request_of("POST");
  }
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("Accept", "application/json, text/event-stream");
  request.body = std::move(frame.text);
  request.not_after_ms = not_after_ms;
  request.tenant = tenant;
  perform(stream, std::move(request));
}

void HttpTransport::listen() {
  const auto stream = std::make_shared<Stream>();
  stream->is_listening = true;
  resume(stream);
}

void HttpTransport::resume(const Shared& stream) {
  HttpRequest request;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    stream->in_session = !session_.empty();
    request = request_of("GET");
  }
  request.headers.emplace_back("Accept", "text/event-stream");
  if (!stream->last_id.empty()) request.headers.emplace_back("Last-Event-ID", stream->last_id);
  perform(stream, std::move(request));
}

void HttpTransport::perform(const Shared& stream, HttpRequest request) {
  request.timeouts = patience_for(stream->request);
  request.max_response_bytes = SIZE_MAX;  // counted where the frames are known
  stream->status = 0;
  stream->body = McpBody::kNone;
  stream->text.clear();
  stream->events.reset();
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (stream->number == 0) stream->number = ++last_number_;
    streams_[stream->number] = stream;
  }
  HttpCallbacks callbacks;
  callbacks.on_head = [self = shared_from_this(), stream](int status, const HttpHeaders& headers) {
    self->take_head(stream, status, headers);
  };
  callbacks.on_body = [self = shared_from_this(), stream](int, std::string_view bytes) {
    self->take_body(stream, bytes);
  };
  callbacks.on_done = [self = shared_from_this(), stream](HttpResult result) {
    self->end(stream, std::move(result));
  };
  const auto call = http_.send(std::move(request), std::move(callbacks));
  const std::lock_guard lock(mutex_);
  if (streams_.contains(stream->number)) {
    stream->call = call;
  } else {
    http_.cancel(call);  // forgotten meanwhile, or it has ended
  }
}

void HttpTransport::take_head(const Shared& stream, int status, const HttpHeaders& headers) {
  stream->status = status;
  if (status < 200 || status > 299) return;
  stream->body = mcp_body_of(headers);
  const std::string* session = answer_header(headers, "mcp-session-id");
  const std::lock_guard lock(mutex_);
  if (session != nullptr && session_.empty() && revision_.empty() && is_visible(*session)) {
    session_ = *session;
  }
}

void HttpTransport::take_body(const Shared& stream, std::string_view bytes) {
  if (stream->body != McpBody::kEvents) {
    const bool refused = stream->status < 200 || stream->status > 299;
    const size_t limit = refused ? kRefusalMaxBytes : mcp::kMessageMaxBytes;
    stream->text += bytes.substr(0, limit - std::min(limit, stream->text.size()));
    return;
  }
  if (stream->events == nullptr) {
    SseLimits limits{mcp::kMessageMaxBytes, mcp::kMessageMaxBytes};
    stream->events = std::make_unique<SseParser>(
        [raw = stream.get()](const SseEvent& event) { raw->arrived.push_back(event); }, limits);
  }
  const Status fed = stream->events->feed(bytes);
  for (const SseEvent& event : std::exchange(stream->arrived, {})) {
    if (!event.last_id.empty() && event.last_id != stream->last_id) {
      stream->last_id = event.last_id;
      stream->resumes = 0;
    }
    // An event without data says only where to go on.
    if (event.type == "message" && !event.data.empty()) {
      sink_.on_frame(event.data, stream_of(stream->request, stream->in_session));
    }
  }
  if (fed) return;
  sink_.on_garbage(fed.error().message);
  over(fed.error().message);
}

bool HttpTransport::is_wanted(const Shared& stream) {
  const std::lock_guard lock(mutex_);
  return !closed_ && streams_.contains(stream->number);
}

void HttpTransport::end(const Shared& stream, HttpResult result) {
  if (!is_wanted(stream)) return;
  result.body = std::move(stream->text);
  if (stream->in_session && is_over(result.end, stream->status)) {
    lose(stream, std::move(result));
    return over("the server ended the session");
  }
  if (stream->is_listening) return end_of_listening(stream, result);
  if (stream->request == 0) return end_of_frame(stream, result);
  const bool resumable = !stream->last_id.empty();
  if (resumable) return end_of_events(stream, result);
  if (stream->body == McpBody::kJson && result.end == HttpResult::End::kComplete) {
    sink_.on_frame(result.body, stream->request);
  }
  lose(stream, std::move(result));
}

// A notification, or an answer of ours.
void HttpTransport::end_of_frame(const Shared& stream, const HttpResult& result) {
  std::deque<Held> held;
  const bool taken =
      result.end == HttpResult::End::kComplete && result.status >= 200 && result.status <= 299;
  bool ends_greeting = false;
  {
    const std::lock_guard lock(mutex_);
    streams_.erase(stream->number);
    ends_greeting = std::exchange(greeting_, false);
    if (ends_greeting && taken) {
      greeted_ = true;
      held = std::exchange(held_, {});
    }
  }
  if (!ends_greeting) return;  // a cancellation that nobody took changes nothing
  if (!taken) {
    return over("it does not take the end of the handshake: " + masked_loss(result, false).why);
  }
  for (Held& next : held) post(std::move(next.frame), next.not_after_ms, next.tenant);
  listen();
}

// The answer has not come, and the stream that would bring it can be taken up.
void HttpTransport::end_of_events(const Shared& stream, const HttpResult& result) {
  const bool refused = stream->status >= 400 && stream->status <= 499;
  if (refused || ++stream->resumes > kResumesMax) return lose(stream, result);
  const int64_t said =
      stream->events == nullptr ? kRetryMs : stream->events->retry_ms().value_or(kRetryMs);
  later(said, [stream](HttpTransport& self) {
    if (self.is_wanted(stream)) self.resume(stream);
  });
}

void HttpTransport::end_of_listening(const Shared& stream, const HttpResult& result) {
  if (result.end == HttpResult::End::kComplete && result.status >= 400 && result.status <= 499) {
    const std::lock_guard lock(mutex_);  // it does not offer such a stream
    streams_.erase(stream->number);
    return;
  }
  int64_t delay_ms =
      stream->events == nullptr ? kRetryMs : stream->events->retry_ms().value_or(kRetryMs);
  stream->resumes = std::min(stream->resumes + 1, 10);
  delay_ms = std::max(delay_ms, std::min(kRetryMaxMs, kRetryMs << (stream->resumes - 1)));
  later(delay_ms, [stream](HttpTransport& self) {
    if (self.is_wanted(stream)) self.resume(stream);
  });
}

void HttpTransport::lose(const Shared& stream, HttpResult result) {
  {
    const std::lock_guard lock(mutex_);
    streams_.erase(stream->number);
  }
  if (stream->request == 0) return;
  // What took a stream up again says nothing of the request itself, which was sent.
  const bool sent = !stream->last_id.empty();
  McpLoss loss = masked_loss(std::move(result), stream->in_session);
  if (sent) loss.outcome = Outcome::kInDoubt;
  if (sent) loss.failure = FailureClass::kAmbiguous;
  sink_.on_lost(stream->request, std::move(loss));
}

// The body is masked before a part of it is told: nothing would be found of a secret cut in two.
McpLoss HttpTransport::masked_loss(HttpResult result, bool in_session) const {
  result.body = masker_.mask_cut(std::move(result.body));
  McpLoss loss = loss_of(result, in_session, clock_.unix_ms());
  loss.why = masker_.mask(std::move(loss.why));
  return loss;
}

void HttpTransport::over(std::string why) {
  std::map<uint64_t, Shared> streams;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    streams = std::exchange(streams_, {});
    held_.clear();
  }
  for (const auto& [number, stream] : streams) {
    if (stream->call) http_.cancel(*stream->call);
  }
  sink_.on_closed(masker_.mask(std::move(why)));
}

void HttpTransport::forget(RequestId request) {
  std::vector<HttpClient::CallId> calls;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = streams_.begin(); at != streams_.end();) {
      if (at->second->request != request) {
        ++at;
        continue;
      }
      if (at->second->call) calls.push_back(*at->second->call);
      at = streams_.erase(at);
    }
  }
  for (const auto call : calls) http_.cancel(call);
}

void HttpTransport::close() {
  HttpRequest goodbye;
  bool says = false;
  {
    const std::lock_guard lock(mutex_);
    says = !closed_ && !session_.empty();
    if (says) goodbye = request_of("DELETE");
  }
  if (!says) return over("closed");
  goodbye.timeouts = {.connect_ms = 2000, .first_byte_ms = 2000, .gap_ms = 2000, .total_ms = 2000};
  HttpCallbacks callbacks;
  callbacks.on_done = [self = shared_from_this()](const HttpResult&) { self->over("closed"); };
  http_.send(std::move(goodbye), std::move(callbacks));
}

void HttpTransport::later(int64_t delay_ms, std::function<void(HttpTransport&)> work) {
  timers_.after(delay_ms, [weak = weak_from_this(), work = std::move(work)] {
    if (const auto self = weak.lock()) work(*self);
  });
}

}  // namespace

Result<std::shared_ptr<McpTransport>> open_mcp_http(const McpServerConfig& config,
                                                    const Secrets& secrets, HttpClient& http,
                                                    Timers& timers, Clock& clock, McpSink sink) {
  HttpHeaders headers;
  for (const auto& [name, value] : config.headers) {
    TRY_ASSIGN(std::string filled, secrets.fill(value));
    headers.emplace_back(name, std::move(filled));
  }
  return std::shared_ptr<McpTransport>(std::make_shared<HttpTransport>(
      config, std::move(headers), secrets.masker(), http, timers, clock, std::move(sink)));
}

}  // namespace perdure
