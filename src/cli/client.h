#pragma once
// The command line's side of the HTTP API: one request at a time.
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
};

// `url` and `token_file` win where they are given; else the files `address` and `token` say it,
// which the server writes into its data directory. An error says which of them is missing.
Result<Place> find_place(const std::string& url, const std::string& token_file,
                         const std::string& data_dir);

// For one segment of a path or one value of a query (RFC 3986, section 2.3).
std::string url_encoded(std::string_view text);

struct Answer {
  std::string text;
  json::value value;
};

class Client {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // `http` outlives it.
  Client(HttpClient& http, Place place) : http_(http), place_(std::move(place)) {}

  Result<Answer> get(const std::string& path) { return call("GET", path, {}, {}); }
  Result<Answer> post(const std::string& path, const json::value& body, Headers headers = {});

 private:
  // kUnavailable: no server answered. Else the server's own words.
  Result<Answer> call(const std::string& method, const std::string& path, std::string body,
                      Headers headers);

  HttpClient& http_;
  const Place place_;
};

}  // namespace perdure::cli
