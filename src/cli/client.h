#pragma once
// The command line's side of the HTTP API: one request at a time, and event streams.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ports/http_client.h"

namespace perdure::cli {

// Where the server is and who we are.
struct Place {
  std::string url;  // without a '/' at the end
  std::string token;
  std::string token_file;  // where the token was read
};

// What was given on the command line; empty: not given.
struct PlaceFlags {
  std::string url;
  std::string token_file;
  std::string data_dir;
};

// `url` and `token_file` win where they are given; else the files `address` and `token` say it,
// which the server writes into its data directory. `address` counts only while a process holds the
// directory's lock, and `token` is for that address alone. An error says what is missing.
Result<Place> find_place(const PlaceFlags& flags);

struct Answer {
  std::string text;
  json::value value;

  // Every answer of this API is an object.
  const json::object& object() const;
};

class Client {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // `http` outlives it.
  Client(HttpClient& http, PlaceFlags flags) : http_(http), flags_(std::move(flags)) {}

  const PlaceFlags& flags() const { return flags_; }

  // kUnavailable: no server answered, or something else did, or it cannot do it now (it is shutting
  // down, say). Else the server's own words.
  // `expected`: a member that this answer of a Perdure server has; others have others.
  Result<Answer> get(const std::string& path, std::string_view expected) {
    return call("GET", path, {}, {}, expected);
  }
  Result<Answer> post(const std::string& path, const json::value& body, std::string_view expected,
                      Headers headers = {});
  Result<Answer> put(const std::string& path, const json::value& body, std::string_view expected);
  // Answered by nothing, with 204.
  Status del(const std::string& path);

  // Where the server is.
  Result<std::string> url();
  // Any address, without a credential, and not for long.
  Result<Answer> look_at(const std::string& url);

  // Starts to read the events of a task behind `after`.
  Result<HttpClient::CallId> stream(const std::string& task, uint64_t after,
                                    HttpCallbacks callbacks);
  void cancel(HttpClient::CallId call) { http_.cancel(call); }
  // Why there is no stream, or no longer.
  Error stream_error(const HttpResult& result, const std::string& body) const;
  // What a problem of RFC 9457 says.
  static Error problem_error(const json::object& problem);

 private:
  // Anew for each request: the server may have come back at another address.
  Status find();
  Result<Answer> call(const std::string& method, const std::string& path, std::string body,
                      Headers headers, std::string_view expected);
  HttpRequest request(const std::string& method, const std::string& path) const;
  Error stranger(const std::string& path) const;
  Error refusal(int status, const std::string& body) const;

  HttpClient& http_;
  const PlaceFlags flags_;
  std::optional<Place> place_;
};

}  // namespace perdure::cli
