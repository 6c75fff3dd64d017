#pragma once
// The first lines of an answer, as bytes.
#include <cstdint>
#include <string>
#include <string_view>

#include "api/http.h"

namespace perdure::http {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7), made anew once a second.
class DateLine {
 public:
  std::string_view at(int64_t unix_s);

 private:
  int64_t unix_s_ = -1;
  char text_[32] = {};
};

// How the end of the body is known.
enum class Framing : uint8_t {
  kLength,   // content-length
  kChunked,  // transfer-encoding: chunked
  kClose,    // the end of the connection (HTTP/1.0), or a status that has no body
};

struct HeadOptions {
  Framing framing = Framing::kLength;
  size_t body_bytes = 0;  // for kLength
  bool close = false;     // the connection ends behind this answer
  bool http_1_0 = false;  // then keep-alive must be said
  std::string_view date;
};

// True for a status whose answer never has a body: 1xx, 204, 304.
bool is_bodiless(int status);

// Control characters in a header would let a handler's data write headers of its own: they become
// spaces.
void append_head(std::string& out, const api::Response& response, const HeadOptions& options);

}  // namespace perdure::http
