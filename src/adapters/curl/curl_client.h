#pragma once
// HttpClient over libcurl: one thread, many requests. It never repeats a request: every request has
// a connection of its own, and there are no redirects, no authentication rounds, no proxies from
// the environment and no `Expect: 100-continue`, so that none of libcurl's ways to send again is
// left.
//
// kNotSent is told by libcurl's pre-request hook, which runs when the connection (with TLS) stands
// and before the first byte of the request: until the hook has let the request pass, no byte of it
// can have left. Afterwards nothing is assumed.
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace perdure {

struct CurlOptions {
  // Requests on the way at once; more wait for their turn, within their total timeout.
  size_t max_open = 8192;
  std::string ca_file;  // PEM; empty: the certificates of the system
  std::string user_agent = "perdure";
};

class CurlLoop;

class CurlClient final : public HttpClient {
 public:
  // `clock` tells whether `not_after_ms` has passed; it must outlive the client.
  explicit CurlClient(Clock& clock, CurlOptions options = {});
  // Ends what is open with kCancelled or kNotSent, and returns after the last callback. Must not be
  // called from a callback.
  ~CurlClient() override;

  // A listener of this server, which no request may reach even with allow_private. `address` as it
  // was bound: an unspecified one stands for every address of this machine. Thread-safe.
  Status forbid(std::string_view address, uint16_t port);

  CallId send(HttpRequest request, HttpCallbacks callbacks) override;
  void cancel(CallId call) override;

 private:
  std::unique_ptr<CurlLoop> loop_;
};

}  // namespace perdure
