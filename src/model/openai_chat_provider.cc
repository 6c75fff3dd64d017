#include "model/openai_chat_provider.h"

#include "journal/price.h"
#include "model/openai_chat_exchange.h"

namespace perdure {
namespace {

// Streams of long answers are many times larger than what they hold; what is kept is bounded by
// AnswerLimits.
constexpr size_t kResponseMaxBytes = 512u << 20;

// A server may repeat the key in its error.
void mask(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "***");
    at += 3;
  }
}

// A key with a line break would end its header.
bool is_header_value(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return true;
}

struct LiveCall {
  LiveCall(const ProviderCall& call, const ModelConfig& config, ProviderCallbacks callbacks_in)
      : callbacks(std::move(callbacks_in)),
        exchange(call.request, config, std::move(callbacks.on_delta)) {}

  ProviderCallbacks callbacks;
  OpenAiChatExchange exchange;
  std::string secret;
  std::shared_ptr<ExchangeRecorder> recorder;
  RecordedExchange record;
};

void finish(LiveCall& call, const HttpResult& result, int64_t now_ms) {
  ProviderResult out = call.exchange.finish(result, now_ms);
  mask(out.detail, call.secret);
  if (call.recorder) {
    call.record.set_result(result);
    for (std::string& chunk : call.record.chunks) mask(chunk, call.secret);
    call.recorder->append(call.record);
  }
  call.callbacks.on_done(std::move(out));
}

ProviderResult no_key(const Error& error) {
  ProviderResult out;
  out.outcome = Outcome::kFailed;
  out.failure = FailureClass::kAuth;
  out.detail = error.message;
  out.used = Usage{};
  return out;
}

}  // namespace

OpenAiChatProvider::OpenAiChatProvider(ModelConfig config, HttpClient& http, Clock& clock,
                                       SecretSource secrets,
                                       std::shared_ptr<ExchangeRecorder> recorder)
    : config_(std::move(config)),
      http_(http),
      clock_(clock),
      secrets_(std::move(secrets)),
      recorder_(std::move(recorder)) {}

HttpRequest OpenAiChatProvider::http_request(const ProviderCall& call,
                                             const std::string& secret) const {
  HttpRequest request;
  request.url = config_.base_url + "/chat/completions";
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}};
  if (!secret.empty()) request.headers.emplace_back("Authorization", "Bearer " + secret);
  request.body = encode_request(call.request, config_);
  request.timeouts = config_.timeouts;
  request.max_response_bytes = kResponseMaxBytes;
  request.allow_private = config_.allow_private;
  request.not_after_ms = call.not_after_ms;
  return request;
}

Provider::CallId OpenAiChatProvider::call(ProviderCall call, ProviderCallbacks callbacks) {
  std::string secret;
  if (!config_.key.empty()) {
    Result<std::string> found = secrets_(config_.key);
    if (found && (found->empty() || !is_header_value(*found))) {
      found = fail(Code::kInvalid,
                   "the key that " + config_.key + " names is empty or holds a line break");
    }
    if (!found) {
      callbacks.on_done(no_key(found.error()));
      return 0;
    }
    secret = std::move(*found);
  }
  HttpRequest request = http_request(call, secret);
  auto live = std::make_shared<LiveCall>(call, config_, std::move(callbacks));
  live->secret = std::move(secret);
  live->recorder = recorder_;
  if (recorder_) live->record.request = request.body;
  HttpCallbacks http;
  http.on_body = [live](int status, std::string_view bytes) {
    if (live->recorder) live->record.chunks.emplace_back(bytes);
    live->exchange.on_body(status, bytes);
  };
  http.on_done = [live, clock = &clock_](const HttpResult& result) {
    finish(*live, result, clock->unix_ms());
  };
  return http_.send(std::move(request), std::move(http));
}

void OpenAiChatProvider::cancel(CallId call) {
  if (call != 0) http_.cancel(call);
}

Usage OpenAiChatProvider::estimate(const ModelRequest& request) const {
  return perdure::estimate(config_.price, encode_request(request, config_).size(),
                           max_output_tokens(request, config_));
}

}  // namespace perdure
