#pragma once
// One request on its way: what libcurl's callbacks note about it. Owned and used by the client's
// thread alone.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/curl/egress.h"
#include "adapters/curl/target.h"
#include "ports/clock.h"
#include "ports/http_client.h"

struct curl_slist;

namespace perdure {

inline constexpr size_t kHeadMaxBytes = 256 * 1024;

class CurlCall {
 public:
  // Why we ended it ourselves.
  enum class Stop : uint8_t {
    kNone,
    kTooLate,
    kTooLarge,
    kHeadTooLarge,
    kFirstByte,
    kGap,
    kTotal,
    kCancelled,
    kClosing,
  };

  CurlCall(HttpRequest request, HttpCallbacks callbacks, int64_t now_us);
  ~CurlCall();
  CurlCall(const CurlCall&) = delete;
  CurlCall& operator=(const CurlCall&) = delete;

  // Before anything else: is this a request that we would send?
  Status check();
  // Tells `easy` (fresh) all about the request. An error is a request that cannot be sent.
  Status prepare(void* easy, const Egress& egress, Clock& clock, const std::string& user_agent);

  void stop(Stop why);
  // A monotonic time before which the call cannot be late, whatever phase it enters until then: no
  // byte has to move it in the loop's order.
  int64_t look_again_us(int64_t now_us) const;
  Stop reason_to_stop(int64_t now_us) const;
  void end_with(int curl_code);  // calls on_done: libcurl is done with the request
  void refuse(std::string why);  // calls on_done: it was never given to libcurl

  const std::string& tenant() const { return request_.tenant; }
  void* easy() const { return easy_; }
  int64_t armed_us = 0;  // where it stands in the loop's order of deadlines

 private:
  friend struct CurlHooks;
  enum class Phase : uint8_t { kConnecting, kSent, kAnswering };

  int64_t deadline_us() const;
  Status make_headers(const std::string& user_agent);
  void read_head_line(std::string_view line);
  bool take_body(std::string_view bytes);
  std::string why(int curl_code) const;
  HttpResult::End end_of(int curl_code) const;

  HttpRequest request_;
  HttpCallbacks callbacks_;
  std::optional<Target> target_;
  curl_slist* headers_ = nullptr;
  void* easy_ = nullptr;
  const Egress* egress_ = nullptr;
  Clock* clock_ = nullptr;

  Phase phase_ = Phase::kConnecting;
  Stop stop_ = Stop::kNone;
  std::string blocked_;  // why an address was refused
  std::string tls_error_;
  int64_t begun_us_ = 0;
  int64_t sent_us_ = 0;
  int64_t last_byte_us_ = 0;
  HttpResult result_;
  bool head_complete_ = false;
  size_t head_bytes_ = 0;
  size_t body_bytes_ = 0;
};

int64_t monotonic_us();

}  // namespace perdure
