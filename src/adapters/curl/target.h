#pragma once
// The URL of a request, parsed once: what was checked is what libcurl dials.
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct Curl_URL;

namespace perdure {

inline constexpr size_t kUrlMaxBytes = 64 * 1024;

class Target {
 public:
  // Takes absolute http and https URLs in ASCII. Refused: userinfo, control characters, spaces,
  // backslashes, '%' and anything else in the host that is not a name or an address.
  static Result<Target> parse(std::string_view url);

  Curl_URL* handle() const { return handle_.get(); }
  // "host:port": errors name this and not the URL, whose path and query may hold a secret.
  const std::string& place() const { return place_; }

 private:
  struct Free {
    void operator()(Curl_URL* url) const;
  };
  std::unique_ptr<Curl_URL, Free> handle_;
  std::string place_;
};

}  // namespace perdure
