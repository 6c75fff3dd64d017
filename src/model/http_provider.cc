#include "model/http_provider.h"

#include "model/exchange.h"

namespace perdure {
namespace {

// Streams of long answers are many times larger than what they hold; what is kept is bounded by
// AnswerLimits.
constexpr size_t kResponseMaxBytes = 512u << 20;

// A server may repeat the key in its error.
void mask(std::string& text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), "***");
      at += 3;
    }
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
  LiveCall(const Codec& codec, const ProviderCall& call, const ModelConfig& config,
           ProviderCallbacks callbacks_in)
      : callbacks(std::move(callbacks_in)),
        exchange(codec, call, config,
                 {std::move(callbacks.on_delta), std::move(callbacks.on_provider_id)}) {}

  ProviderCallbacks callbacks;
  Exchange exchange;
  std::vector<std::string> secrets;
  std::shared_ptr<ExchangeRecorder> recorder;
  RecordedExchange record;
};

void finish(LiveCall& call, const HttpResult& result, int64_t now_ms) {
  ProviderResult out = call.exchange.finish(result, now_ms);
  mask(out.detail, call.secrets);
  if (call.recorder) {
    call.record.set_result(result);
    for (std::string& chunk : call.record.chunks) mask(chunk, call.secrets);
    call.recorder->append(call.record);
  }
  call.callbacks.on_done(std::move(out));
}

ProviderResult no_key(const Error& error, bool fetches) {
  ProviderResult out;
  if (fetches) {  // the answer is there, whatever became of the key
    out.outcome = Outcome::kDeferred;
    out.failure = FailureClass::kContinue;
    out.detail = error.message + "; the answer will be fetched when there is one";
    return out;
  }
  out.outcome = Outcome::kFailed;
  out.failure = FailureClass::kAuth;
  out.detail = error.message;
  out.used = Usage{};
  return out;
}

// The call is in doubt again: nobody can say what became of it.
ProviderResult not_to_be_fetched(const Error& error) {
  ProviderResult out;
  out.outcome = Outcome::kInDoubt;
  out.failure = FailureClass::kAmbiguous;
  out.detail = error.message;
  return out;
}

}  // namespace

HttpProvider::HttpProvider(ModelConfig config, HttpClient& http, Clock& clock, SecretSource secrets,
                           std::shared_ptr<ExchangeRecorder> recorder)
    : config_(std::move(config)),
      codec_(codec_of(config_.provider)),
      http_(http),
      clock_(clock),
      secrets_(std::move(secrets)),
      recorder_(std::move(recorder)) {}

Result<std::vector<std::string>> HttpProvider::read_secrets() const {
  std::vector<std::string> all;
  for (const std::string& reference : codec_.secret_references(config_)) {
    TRY_ASSIGN(std::string found, secrets_(reference));
    if (found.empty() || !is_header_value(found)) {
      return fail(Code::kInvalid,
                  "the key that " + reference + " names is empty or holds a line break");
    }
    all.push_back(std::move(found));
  }
  return all;
}

HttpRequest HttpProvider::http_request(WireRequest wire, const ProviderCall& call) const {
  HttpRequest request;
  request.method = std::move(wire.method);
  request.url = config_.base_url + wire.path;
  request.headers = std::move(wire.headers);
  request.headers.insert(request.headers.end(), config_.headers.begin(), config_.headers.end());
  request.body = std::move(wire.body);
  request.timeouts = config_.timeouts;
  request.max_response_bytes = kResponseMaxBytes;
  request.allow_private = config_.allow_private;
  request.not_after_ms = call.not_after_ms;
  request.tenant = call.tenant;
  return request;
}

Provider::CallId HttpProvider::call(ProviderCall call, ProviderCallbacks callbacks) {
  Result<WireRequest> wire = call.provider_id.empty()
                                 ? codec_.encode(call.request, config_)
                                 : codec_.encode_fetch(call.provider_id, call.as_it_stands);
  if (!wire) {
    callbacks.on_done(not_to_be_fetched(wire.error()));
    return 0;
  }
  auto live = std::make_shared<LiveCall>(codec_, call, config_, std::move(callbacks));
  live->recorder = recorder_;
  if (recorder_) live->record.request = recorded_form(*wire);
  Result<std::vector<std::string>> found = read_secrets();
  if (found) live->secrets = std::move(*found);
  Status allowed = found ? Status() : tl::unexpected(std::move(found).error());
  if (allowed && !live->secrets.empty()) {
    allowed = codec_.authorize_with(*wire, config_.base_url + wire->path, live->secrets, config_,
                                    clock_.unix_ms());
  }
  if (!allowed) {
    live->callbacks.on_done(no_key(allowed.error(), !call.provider_id.empty()));
    return 0;
  }
  HttpCallbacks http;
  http.on_body = [live](int status, std::string_view bytes) {
    if (live->recorder) live->record.chunks.emplace_back(bytes);
    live->exchange.on_body(status, bytes);
  };
  http.on_done = [live, clock = &clock_](const HttpResult& result) {
    finish(*live, result, clock->unix_ms());
  };
  return http_.send(http_request(std::move(*wire), call), std::move(http));
}

void HttpProvider::cancel(CallId call) {
  if (call != 0) http_.cancel(call);
}

}  // namespace perdure
