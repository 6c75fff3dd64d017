#include "adapters/curl/call.h"

#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "base/http_header.h"
#include "base/text.h"

namespace perdure {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

constexpr std::string_view kMethods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                         "PATCH", "DELETE", "OPTIONS"};

constexpr int64_t kDayMs = 24LL * 3600 * 1000;
constexpr int64_t kTimeoutMaxMs = 40'000 * kDayMs;  // a person may be asked meanwhile

bool has_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

int64_t monotonic_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

CurlCall::CurlCall(HttpRequest request, HttpCallbacks callbacks, int64_t now_us)
    : request_(std::move(request)), callbacks_(std::move(callbacks)), begun_us_(now_us) {
  HttpTimeouts& t = request_.timeouts;
  for (int64_t* ms : {&t.connect_ms, &t.first_byte_ms, &t.gap_ms, &t.total_ms}) {
    *ms = std::clamp<int64_t>(*ms, 1, kTimeoutMaxMs);
  }
}

CurlCall::~CurlCall() {
  curl_slist_free_all(headers_);
}

Status CurlCall::check() {
  if (std::find(std::begin(kMethods), std::end(kMethods), request_.method) == std::end(kMethods)) {
    return fail(Code::kInvalid, "the method is not one that is sent");
  }
  for (const auto& [name, value] : request_.headers) {
    TRY_STATUS(check_http_header(name, value));
  }
  TRY_ASSIGN(target_, Target::parse(request_.url));
  return {};
}

Status CurlCall::make_headers(const std::string& user_agent) {
  bool ok = true;
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_, line.c_str());
    ok = ok && longer != nullptr;
    if (longer != nullptr) headers_ = longer;
  };
  bool has_type = false;
  bool has_agent = false;
  for (const auto& [name, value] : request_.headers) {
    has_type = has_type || lower_case(name) == "content-type";
    has_agent = has_agent || lower_case(name) == "user-agent";
    // libcurl's notation: "name;" is a header without a value, "name:" removes one of its own.
    const bool blank = trimmed(value).empty();
    add(blank ? name + ";" : name + ": " + value);
  }
  add("Expect:");
  add("Connection: close");
  if (!has_type) add("Content-Type:");
  if (!has_agent) add("User-Agent: " + user_agent);
  return ok ? Status{} : fail(Code::kExhausted, "out of memory");
}

// libcurl's C callbacks.
struct CurlHooks {
  static CurlCall& call(void* context) { return *static_cast<CurlCall*>(context); }

  static curl_socket_t open_socket(void* context, curlsocktype, curl_sockaddr* to) {
    CurlCall& c = call(context);
    const auto address = IpAddress::from_sockaddr(&to->addr);
    if (!address) return CURL_SOCKET_BAD;
    uint16_t port = 0;  // at the same place for both families
    std::memcpy(&port, reinterpret_cast<const char*>(&to->addr) + 2, sizeof port);
    auto refused = c.egress_->refuses(*address, __builtin_bswap16(port), c.request_.allow_private);
    if (refused) {
      c.blocked_ = std::move(*refused);
      return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }

  // The connection stands, nothing of the request is written. The last moment to say no.
  static int before_request(void* context, char*, char*, int, int) {
    CurlCall& c = call(context);
    if (c.request_.not_after_ms != 0 && c.clock_->unix_ms() >= c.request_.not_after_ms) {
      c.stop_ = CurlCall::Stop::kTooLate;
      return CURL_PREREQFUNC_ABORT;
    }
    c.phase_ = CurlCall::Phase::kSent;
    c.sent_us_ = monotonic_us();
    return CURL_PREREQFUNC_OK;
  }

  static size_t head(char* bytes, size_t, size_t count, void* context) {
    CurlCall& c = call(context);
    c.phase_ = CurlCall::Phase::kAnswering;
    c.last_byte_us_ = monotonic_us();
    c.head_bytes_ += count;
    if (c.head_bytes_ > kHeadMaxBytes) {
      c.stop_ = CurlCall::Stop::kHeadTooLarge;
      return 0;
    }
    c.read_head_line({bytes, count});
    return count;
  }

  static size_t body(char* bytes, size_t, size_t count, void* context) {
    CurlCall& c = call(context);
    c.phase_ = CurlCall::Phase::kAnswering;
    c.last_byte_us_ = monotonic_us();
    return c.take_body({bytes, count}) ? count : 0;
  }
};

Status CurlCall::prepare(void* easy, const Egress& egress, Clock& clock,
                         const std::string& user_agent) {
  easy_ = easy;
  egress_ = &egress;
  clock_ = &clock;
  TRY_STATUS(make_headers(user_agent));
  bool ok = true;
  const auto set = [&](CURLoption option, auto value) {
    ok = curl_easy_setopt(easy, option, value) == CURLE_OK && ok;
  };
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_CURLU, target_->handle());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_HTTP09_ALLOWED, 0L);

  // Nothing is sent twice, and nothing goes elsewhere.
  set(CURLOPT_FRESH_CONNECT, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_NONE));
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_OPENSOCKETFUNCTION, &CurlHooks::open_socket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(CURLOPT_PREREQFUNCTION, &CurlHooks::before_request);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));

  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_NOPROGRESS, 1L);
  // A name server that does not answer must not hold up the thread when the call is given up.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(request_.timeouts.connect_ms, kDayMs)));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  tls_error_.assign(CURL_ERROR_SIZE, '\0');
  set(CURLOPT_ERRORBUFFER, tls_error_.data());

  set(CURLOPT_HEADERFUNCTION, &CurlHooks::head);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &CurlHooks::body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_HTTPHEADER, headers_);
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (has_body(request_.method) || !request_.body.empty()) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.data());
  }
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  return ok ? Status{} : fail(Code::kUnsupported, "libcurl refuses an option that is needed");
}

void CurlCall::read_head_line(std::string_view line) {
  if (head_complete_) return;  // a trailer, behind the body
  if (line.starts_with("HTTP/")) {
    result_.headers.clear();
    result_.status = 0;
    return;
  }
  const std::string_view text = trimmed(line);
  if (text.empty()) {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) return;  // an interim answer: the head is still to come
    result_.status = static_cast<int>(status);
    head_complete_ = true;
    if (callbacks_.on_head) callbacks_.on_head(result_.status, result_.headers);
    return;
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return;
  result_.headers.emplace_back(lower_case(trimmed(text.substr(0, colon))),
                               std::string(trimmed(text.substr(colon + 1))));
}

bool CurlCall::take_body(std::string_view bytes) {
  if (!head_complete_) return true;  // behind an interim answer that switched protocols
  const std::string_view fits = bytes.substr(0, request_.max_response_bytes - body_bytes_);
  body_bytes_ += fits.size();
  if (callbacks_.on_body) {
    if (!fits.empty()) callbacks_.on_body(result_.status, fits);
  } else {
    result_.body.append(fits);
  }
  if (fits.size() == bytes.size()) return true;
  stop_ = Stop::kTooLarge;
  return false;
}

void CurlCall::stop(Stop why) {
  if (stop_ == Stop::kNone) stop_ = why;
}

int64_t CurlCall::deadline_us() const {
  int64_t deadline = begun_us_ + request_.timeouts.total_ms * 1000;
  if (phase_ == Phase::kSent) {
    deadline = std::min(deadline, sent_us_ + request_.timeouts.first_byte_ms * 1000);
  } else if (phase_ == Phase::kAnswering) {
    deadline = std::min(deadline, last_byte_us_ + request_.timeouts.gap_ms * 1000);
  }
  return deadline;
}

int64_t CurlCall::look_again_us(int64_t now_us) const {
  const HttpTimeouts& t = request_.timeouts;
  return std::min(deadline_us(), now_us + std::min(t.first_byte_ms, t.gap_ms) * 1000);
}

CurlCall::Stop CurlCall::reason_to_stop(int64_t now_us) const {
  if (now_us < deadline_us()) return Stop::kNone;
  if (now_us >= begun_us_ + request_.timeouts.total_ms * 1000) return Stop::kTotal;
  return phase_ == Phase::kSent ? Stop::kFirstByte : Stop::kGap;
}

HttpResult::End CurlCall::end_of(int curl_code) const {
  using End = HttpResult::End;
  if (phase_ == Phase::kConnecting) return End::kNotSent;
  switch (stop_) {
    case Stop::kTooLarge:
    case Stop::kHeadTooLarge:
      return End::kTooLarge;
    case Stop::kFirstByte:
    case Stop::kGap:
    case Stop::kTotal:
      return End::kTimedOut;
    case Stop::kCancelled:
    case Stop::kClosing:
      return End::kCancelled;
    case Stop::kTooLate:
    case Stop::kNone:
      break;
  }
  if (curl_code == CURLE_OPERATION_TIMEDOUT) return End::kTimedOut;
  // libcurl says OK to a connection that ends in the middle of the head.
  return curl_code == CURLE_OK && head_complete_ ? End::kComplete : End::kCut;
}

std::string CurlCall::why(int curl_code) const {
  const HttpTimeouts& limits = request_.timeouts;
  switch (stop_) {
    case Stop::kTooLate:
      return "too late: the time until which it might be sent has passed";
    case Stop::kTooLarge:
      return fmt::format("the answer is larger than {} bytes", request_.max_response_bytes);
    case Stop::kHeadTooLarge:
      return fmt::format("the head of the answer is larger than {} bytes", kHeadMaxBytes);
    case Stop::kFirstByte:
      return fmt::format("no answer within {} ms (first byte timeout)", limits.first_byte_ms);
    case Stop::kGap:
      return fmt::format("the answer stopped for {} ms (gap timeout)", limits.gap_ms);
    case Stop::kTotal:
      return fmt::format("not done within {} ms (total timeout)", limits.total_ms);
    case Stop::kCancelled:
      return "cancelled";
    case Stop::kClosing:
      return "the server is stopping";
    case Stop::kNone:
      break;
  }
  const bool connecting = phase_ == Phase::kConnecting;
  if (connecting && !blocked_.empty()) return blocked_;
  if (connecting && curl_code == CURLE_OPERATION_TIMEDOUT) {
    return fmt::format("no connection within {} ms (connect timeout)", limits.connect_ms);
  }
  if (curl_code == CURLE_OK || curl_code == CURLE_GOT_NOTHING) {
    return head_bytes_ == 0 ? "the connection was closed without an answer"
                            : "the connection was closed in the middle of the answer's head";
  }
  std::string text = curl_easy_strerror(static_cast<CURLcode>(curl_code));
  if (connecting) {
    // What libcurl says of a handshake names certificates, never the request.
    if (const std::string_view more = tls_error_.c_str(); !more.empty()) {
      return std::string(more);
    }
    return text;
  }
  return "the connection failed after the request was sent: " + text;
}

void CurlCall::end_with(int curl_code) {
  result_.end = end_of(curl_code);
  if (!head_complete_) {
    result_.status = 0;
    result_.headers.clear();
  }
  if (result_.end != HttpResult::End::kComplete) {
    result_.detail = target_->place() + ": " + why(curl_code);
  }
  if (callbacks_.on_done) callbacks_.on_done(std::move(result_));
}

void CurlCall::refuse(std::string why) {
  result_ = {};
  result_.detail = std::move(why);
  if (callbacks_.on_done) callbacks_.on_done(std::move(result_));
}

}  // namespace perdure
