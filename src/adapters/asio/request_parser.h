#pragma once
// Requests of one HTTP/1.1 connection, one after the other, from bytes. No I/O: it is fed whatever
// arrived. Strict, since two readers of one byte stream that disagree are request smuggling
// (RFC 9112, section 11.2): what is ambiguous is refused. Beast's parser is not used because it
// accepts folded lines, repeated Content-Length and Host, a missing Host, and takes an unknown
// transfer coding for no body.
#include <cstdint>
#include <string>
#include <string_view>

#include "api/http.h"
#include "api/problem.h"

namespace perdure::http {

struct ParserLimits {
  size_t target_bytes = 8u << 10;
  size_t header_bytes = 16u << 10;
  size_t header_count = 100;
  size_t body_bytes = 4u << 20;
};

class RequestParser {
 public:
  explicit RequestParser(const ParserLimits& limits) : limits_(limits) {}

  // Takes bytes until the request is complete or refused; returns how many it took.
  size_t feed(std::string_view bytes);

  bool idle() const { return stage_ == Stage::kRequestLine && head_bytes_ == 0; }
  // The head is complete, the body is not.
  bool in_body() const { return stage_ >= Stage::kBody && stage_ <= Stage::kTrailers; }
  bool complete() const { return stage_ == Stage::kComplete; }
  bool failed() const { return stage_ == Stage::kFailed; }
  const api::Problem& problem() const { return problem_; }

  // Of the request whose head is complete.
  const api::Request& head() const { return request_; }
  // Refuses the request if its body is, or grows, longer than that.
  void limit_body(size_t bytes);
  bool keep_alive() const { return keep_alive_; }
  bool is_head() const { return is_head_; }
  bool is_http_1_0() const { return minor_ == 0; }
  // The client waits for "100 Continue" before it sends the body.
  bool awaits_continue() const { return in_body() && expects_continue_ && body_wire_bytes_ == 0; }
  // Bytes of the body as sent, chunk framing included.
  uint64_t body_wire_bytes() const { return body_wire_bytes_; }

  // The complete request; the parser is then ready for the next.
  api::Request take();

 private:
  enum class Stage {
    kRequestLine,
    kHeaders,
    kBody,       // of a known length
    kChunkSize,  // these four: a chunked body, RFC 9112 section 7.1
    kChunkData,
    kChunkEnd,
    kTrailers,
    kComplete,
    kFailed,
  };

  size_t feed_line(std::string_view bytes);
  size_t feed_data(std::string_view bytes);
  size_t line_limit() const;
  void on_line(std::string_view line);
  void on_request_line(std::string_view line);
  bool read_target(std::string_view target);
  bool read_version(std::string_view version);
  void on_header(std::string_view line);
  bool note_header(std::string_view name, std::string_view value);
  bool read_content_length(std::string_view value);
  void read_connection(std::string_view value);
  void finish_head();
  void on_chunk_size(std::string_view line);
  bool refuse(int status, std::string_view code, std::string detail);
  bool malformed(std::string detail) { return refuse(400, "bad_request", std::move(detail)); }
  bool line_too_long();
  bool body_too_large();

  ParserLimits limits_;
  size_t body_limit_ = limits_.body_bytes;  // of the current request
  Stage stage_ = Stage::kRequestLine;
  std::string line_;  // the beginning of a line whose end has not arrived
  api::Request request_;
  api::Problem problem_;

  // All of the current request.
  size_t head_bytes_ = 0;
  size_t header_count_ = 0;
  int minor_ = 1;
  bool skipped_blank_ = false;
  bool is_head_ = false;
  bool keep_alive_ = true;
  bool connection_close_ = false;
  bool connection_keep_alive_ = false;
  bool expects_continue_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
  bool chunked_ = false;
  std::string authority_;   // of an absolute-form target: it overrides Host
  uint64_t remaining_ = 0;  // of the body, or of the chunk
  uint64_t body_wire_bytes_ = 0;
};

}  // namespace perdure::http
