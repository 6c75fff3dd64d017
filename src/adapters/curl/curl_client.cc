#include "adapters/curl/curl_client.h"

#include "adapters/curl/loop.h"

namespace perdure {

CurlClient::CurlClient(Clock& clock, CurlOptions options)
    : loop_(std::make_unique<CurlLoop>(clock, std::move(options))) {}

CurlClient::~CurlClient() = default;

Status CurlClient::forbid(std::string_view address, uint16_t port) {
  return loop_->egress.forbid(address, port);
}

HttpClient::CallId CurlClient::send(HttpRequest request, HttpCallbacks callbacks) {
  return loop_->send(std::move(request), std::move(callbacks));
}

void CurlClient::cancel(CallId call) {
  loop_->cancel(call);
}

}  // namespace perdure
