#include "adapters/asio/request_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "adapters/asio/syntax.h"
#include "base/assert.h"
#include "base/percent.h"

namespace perdure::http {
namespace {

constexpr size_t kMethodBytes = 32;
constexpr size_t kVersionBytes = 8;  // "HTTP/1.1"
// Size and extensions; nothing that we know sends extensions.
constexpr size_t kChunkLineBytes = 256;
// A body is believed as it arrives: its announced length reserves no more than this.
constexpr size_t kReserveBytes = 64u << 10;

bool is_method(std::string_view method) {
  if (method.empty() || method.size() > kMethodBytes) return false;
  return std::all_of(method.begin(), method.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; });
}

}  // namespace

size_t RequestParser::feed(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size() && !complete() && !failed()) {
    const bool was_in_body = in_body();
    const std::string_view rest = bytes.substr(used);
    const bool data = stage_ == Stage::kBody || stage_ == Stage::kChunkData;
    const size_t taken = data ? feed_data(rest) : feed_line(rest);
    used += taken;
    if (was_in_body) body_wire_bytes_ += taken;
  }
  return used;
}

void RequestParser::limit_body(size_t bytes) {
  body_limit_ = std::min(body_limit_, bytes);
  if (in_body() && request_.body.size() + remaining_ > body_limit_) body_too_large();
}

api::Request RequestParser::take() {
  PERDURE_ASSERT(complete(), "only a complete request is taken");
  api::Request request = std::move(request_);
  RequestParser next(limits_);
  std::swap(next.line_, line_);  // keeps its capacity
  *this = std::move(next);
  line_.clear();
  return request;
}

// One line, or as much of it as has arrived. A line ends in CRLF, and neither stands alone.
size_t RequestParser::feed_line(std::string_view bytes) {
  if (idle()) {
    // Refuse at once what never was HTTP, e.g. a TLS handshake: it may have no line end at all.
    const char first = bytes.front();
    const bool blank = first == '\r' && !skipped_blank_;
    if (!blank && !(first >= 'A' && first <= 'Z')) {
      malformed("the request does not begin with a method; this port speaks plain HTTP/1.1");
      return 1;
    }
  }
  const void* end = std::memchr(bytes.data(), '\n', bytes.size());
  const size_t taken = end == nullptr
                           ? bytes.size()
                           : static_cast<size_t>(static_cast<const char*>(end) - bytes.data()) + 1;
  const size_t limit = line_limit();
  const size_t length = line_.size() + taken;
  if (stage_ != Stage::kChunkSize && stage_ != Stage::kChunkEnd) head_bytes_ += taken;
  if (length > limit || head_bytes_ > limits_.header_bytes) {
    line_too_long();
    return taken;
  }
  if (end == nullptr) {
    line_.append(bytes);
    return taken;
  }
  std::string_view line = bytes.substr(0, taken);
  if (!line_.empty()) {
    line_.append(line);
    line = line_;
  }
  if (line.size() < 2 || line[line.size() - 2] != '\r') {
    malformed("a line ends in a bare LF; lines end in CRLF");
    return taken;
  }
  on_line(line.substr(0, line.size() - 2));
  line_.clear();
  return taken;
}

size_t RequestParser::line_limit() const {
  switch (stage_) {
    case Stage::kRequestLine:
      return kMethodBytes + 1 + limits_.target_bytes + 1 + kVersionBytes + 2;
    case Stage::kChunkSize:
      return kChunkLineBytes;
    case Stage::kChunkEnd:
      return 2;
    default:
      return limits_.header_bytes;
  }
}

bool RequestParser::line_too_long() {
  if (stage_ == Stage::kChunkSize) return malformed("a chunk's size line is too long");
  if (stage_ == Stage::kChunkEnd) return malformed("a chunk is longer than its size says");
  if (stage_ == Stage::kRequestLine) {
    return refuse(
        414, "target_too_long",
        "the request target is longer than " + std::to_string(limits_.target_bytes) + " bytes");
  }
  return refuse(431, "header_too_large",
                "the header is larger than " + std::to_string(limits_.header_bytes) + " bytes");
}

bool RequestParser::body_too_large() {
  return refuse(413, "body_too_large",
                "the body is larger than " + std::to_string(body_limit_) + " bytes");
}

void RequestParser::on_line(std::string_view line) {
  switch (stage_) {
    case Stage::kRequestLine:
      // RFC 9112, section 2.2: some clients send one CRLF behind a body.
      if (line.empty() && !skipped_blank_) {
        skipped_blank_ = true;
        head_bytes_ = 0;
      } else {
        on_request_line(line);
      }
      break;
    case Stage::kHeaders:
      line.empty() ? finish_head() : on_header(line);
      break;
    case Stage::kChunkSize:
      on_chunk_size(line);
      break;
    case Stage::kChunkEnd:
      line.empty() ? void(stage_ = Stage::kChunkSize)
                   : void(malformed("a chunk is longer than its size says"));
      break;
    case Stage::kTrailers:
      line.empty() ? void(stage_ = Stage::kComplete) : on_header(line);
      break;
    default:
      PERDURE_ASSERT(false, "this stage has no lines");
  }
}

void RequestParser::on_request_line(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    malformed("the request line is not: method, target, version");
    return;
  }
  const std::string_view method = line.substr(0, first);
  if (!is_method(method)) {
    malformed("the method is not a token in capital letters");
    return;
  }
  request_.method = method;
  is_head_ = method == "HEAD";
  if (!read_version(line.substr(last + 1))) return;
  if (!read_target(line.substr(first + 1, last - first - 1))) return;
  stage_ = Stage::kHeaders;
  request_.headers.reserve(12);
}

bool RequestParser::read_version(std::string_view version) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != kVersionBytes || !version.starts_with("HTTP/") || !digit(version[5]) ||
      version[6] != '.' || !digit(version[7])) {
    return malformed("the version is not HTTP/1.1");
  }
  if (version[5] != '1') {
    return refuse(505, "version_not_supported", "this server speaks HTTP/1.1 and HTTP/1.0");
  }
  minor_ = version[7] - '0';
  return true;
}

// RFC 9112, section 3.2.
bool RequestParser::read_target(std::string_view target) {
  if (target.size() > limits_.target_bytes) return line_too_long();
  if (target.empty() || !all_in(target, kTarget)) {
    return malformed("the request target has a character that must be percent-encoded");
  }
  if (request_.method == "CONNECT") {
    return refuse(501, "not_implemented", "this server is not a proxy: no CONNECT");
  }
  if (target.front() == '/' || (target == "*" && request_.method == "OPTIONS")) {
    request_.target = target;
    return true;
  }
  constexpr std::string_view kScheme = "http://";
  if (!equal_fold(target.substr(0, kScheme.size()), kScheme)) {
    return malformed("the request target is neither a path nor an http URL");
  }
  target.remove_prefix(kScheme.size());
  const size_t path = std::min(target.find_first_of("/?"), target.size());
  authority_ = target.substr(0, path);
  if (authority_.empty() || !all_in(authority_, kHost)) {
    return malformed("the request target has no valid host");
  }
  target.remove_prefix(path);
  request_.target = target.starts_with('/') ? "" : "/";
  request_.target += target;
  return true;
}

void RequestParser::on_header(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') {
    malformed("a header line is folded; send each header on one line");
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    malformed("a header line has no colon");
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim_ows(line.substr(colon + 1));
  if (name.empty() || !all_in(name, kToken)) {
    malformed("a header name is empty or has a character that is no token, e.g. a space");
    return;
  }
  if (!all_in(value, kValue)) {
    malformed("the value of a header has a control character");
    return;
  }
  if (++header_count_ > limits_.header_count) {
    refuse(431, "header_too_large",
           "there are more than " + std::to_string(limits_.header_count) + " headers");
    return;
  }
  if (stage_ == Stage::kTrailers) return;  // checked, and of no use to anyone
  auto& [lower, kept] = request_.headers.emplace_back(name, value);
  for (char& c : lower) c = to_lower(c);
  note_header(lower, value);
}

bool RequestParser::note_header(std::string_view name, std::string_view value) {
  if (name == "host") {
    if (has_host_) return malformed("there is more than one Host");
    has_host_ = true;
    if (!all_in(value, kHost)) return malformed("Host is not a host name and port");
  } else if (name == "content-length") {
    return read_content_length(value);
  } else if (name == "transfer-encoding") {
    if (chunked_ || !equal_fold(value, "chunked")) {
      return malformed("Transfer-Encoding must be chunked, once, and nothing else");
    }
    chunked_ = true;
  } else if (name == "connection") {
    read_connection(value);
  } else if (name == "expect") {
    expects_continue_ = equal_fold(value, "100-continue");
    if (!expects_continue_) {
      return refuse(417, "expectation_failed", "the only expectation is 100-continue");
    }
  }
  return true;
}

bool RequestParser::read_content_length(std::string_view value) {
  if (has_length_) return malformed("there is more than one Content-Length");
  has_length_ = true;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (value.empty() || !std::all_of(value.begin(), value.end(), digit)) {
    return malformed("Content-Length is not a number");
  }
  remaining_ = 0;
  for (const char c : value) {
    remaining_ = remaining_ * 10 + static_cast<uint64_t>(c - '0');
    // Never far above the limit, so it cannot overflow.
    remaining_ = std::min<uint64_t>(remaining_, limits_.body_bytes + 1);
  }
  return true;
}

void RequestParser::read_connection(std::string_view value) {
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trim_ows(value.substr(0, comma));
    if (equal_fold(option, "close")) connection_close_ = true;
    if (equal_fold(option, "keep-alive")) connection_keep_alive_ = true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

void RequestParser::finish_head() {
  if (!has_host_ && minor_ != 0) {
    malformed("there is no Host");
    return;
  }
  if (chunked_ && has_length_) {
    malformed("there are both Transfer-Encoding and Content-Length");
    return;
  }
  if (chunked_ && minor_ == 0) {
    malformed("HTTP/1.0 has no Transfer-Encoding");
    return;
  }
  if (!authority_.empty()) {
    std::erase_if(request_.headers, [](const auto& header) { return header.first == "host"; });
    request_.headers.emplace_back("host", std::move(authority_));
  }
  keep_alive_ = !connection_close_ && (minor_ != 0 || connection_keep_alive_);
  if (minor_ == 0) expects_continue_ = false;
  if (chunked_) {
    stage_ = Stage::kChunkSize;
  } else if (remaining_ > limits_.body_bytes) {
    body_too_large();
  } else if (remaining_ > 0) {
    stage_ = Stage::kBody;
    request_.body.reserve(std::min<size_t>(remaining_, kReserveBytes));
  } else {
    stage_ = Stage::kComplete;
  }
}

size_t RequestParser::feed_data(std::string_view bytes) {
  const size_t taken = std::min<size_t>(bytes.size(), remaining_);
  request_.body.append(bytes.data(), taken);
  remaining_ -= taken;
  if (remaining_ == 0) {
    stage_ = stage_ == Stage::kBody ? Stage::kComplete : Stage::kChunkEnd;
  }
  return taken;
}

void RequestParser::on_chunk_size(std::string_view line) {
  uint64_t size = 0;
  size_t digits = 0;
  for (; digits < line.size(); ++digits) {
    const int digit = hex_digit(line[digits]);
    if (digit < 0) break;
    size = size * 16 + static_cast<uint64_t>(digit);
    size = std::min<uint64_t>(size, body_limit_ + 1);
  }
  const std::string_view extensions = line.substr(digits);
  if (digits == 0 || (!extensions.empty() && extensions.front() != ';') ||
      !all_in(extensions, kValue)) {
    malformed("a chunk's size is not a hexadecimal number");
    return;
  }
  if (request_.body.size() + size > body_limit_) {
    body_too_large();
    return;
  }
  remaining_ = size;
  stage_ = size == 0 ? Stage::kTrailers : Stage::kChunkData;
}

bool RequestParser::refuse(int status, std::string_view code, std::string detail) {
  problem_ = {status, code, std::move(detail)};
  stage_ = Stage::kFailed;
  return false;
}

}  // namespace perdure::http
