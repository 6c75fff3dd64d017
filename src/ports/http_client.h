#pragma once
// One outbound HTTP request. The transport never repeats it: a fresh connection, no redirect, no
// retry of any kind. A receiver that reads the request and closes has seen it once.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure {

struct HttpTimeouts {
  int64_t connect_ms = 10'000;
  int64_t first_byte_ms = 60'000;  // from the request to the first byte of the answer
  int64_t gap_ms = 60'000;         // between two bytes of the answer
  int64_t total_ms = 600'000;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "POST";
  std::string url;  // http or https, absolute, without userinfo
  HttpHeaders headers;
  std::string body;
  HttpTimeouts timeouts;
  size_t max_response_bytes = 16u << 20;
  bool allow_private = false;  // loopback, private, link-local and other special ranges
  // Unix time at or after which the first byte may not be written any more; 0: no limit.
  int64_t not_after_ms = 0;
  std::string
      tenant;  // for whom; empty: for the server itself. Of places that are few each has a share
};

// How it ended. What is definite and what is doubt is for the caller to say.
struct HttpResult {
  enum class End : uint8_t {
    kComplete,   // a whole answer
    kNotSent,    // no byte of the request was written: refused, unresolved, blocked, too late,
                 // cancelled early
    kTimedOut,   // after at least one byte may have been written
    kCut,        // the connection ended before the answer did
    kTooLarge,   // the answer passed max_response_bytes
    kCancelled,  // by the caller, after at least one byte may have been written
  };
  End end = End::kNotSent;
  int status = 0;       // of the answer, if its head came
  HttpHeaders headers;  // names in lower case
  std::string body;     // empty if `on_body` took it
  std::string detail;   // for people
};

struct HttpCallbacks {
  // Optional; on the client's thread, before anything of the body. Names in lower case.
  std::function<void(int status, const HttpHeaders& headers)> on_head;
  // Optional; on the client's thread, in order, before `on_done`. The head has come when it is
  // called first.
  std::function<void(int status, std::string_view bytes)> on_body;
  std::function<void(HttpResult)> on_done;  // once
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  using CallId = uint64_t;
  // Thread-safe. Callbacks come on the client's thread, possibly before this returns.
  virtual CallId send(HttpRequest request, HttpCallbacks callbacks) = 0;
  // Ends the call soon with kCancelled or kNotSent; no effect if it has ended.
  virtual void cancel(CallId call) = 0;
};

}  // namespace perdure
