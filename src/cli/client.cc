#include "cli/client.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <future>

#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int kConnectMs = 5'000;
constexpr JsonLimits kAnswerLimits{.depth = 200, .size_bytes = 256u << 20};

Result<std::string> first_line(const std::string& path, std::string_view advice) {
  std::ifstream file(path);
  std::string line;
  if (file && std::getline(file, line) && !line.empty()) return line;
  return fail(Code::kUnavailable, fmt::format("cannot read {}: {}; {}", path,
                                              std::strerror(errno != 0 ? errno : ENODATA), advice));
}

// What RFC 9457 says of a refusal, or the little that there is.
Error error_of(const HttpResult& result) {
  const auto parsed = parse_json(result.body, "answer", kAnswerLimits);
  const json::object* problem = parsed ? parsed->if_object() : nullptr;
  const std::string code = problem != nullptr ? text_at(*problem, "code") : "";
  const std::string detail = problem != nullptr ? text_at(*problem, "detail") : "";
  return {Code::kInvalid, fmt::format("the server refuses (HTTP {}{}{}): {}", result.status,
                                      code.empty() ? "" : " ", code, detail)};
}

}  // namespace

std::string url_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    out += unreserved ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Result<Place> find_place(const std::string& url, const std::string& token_file,
                         const std::string& data_dir) {
  Place place{url, {}};
  if (url.empty()) {
    TRY_ASSIGN(place.url,
               first_line(data_dir + "/address",
                          "start the server with 'perdure serve', or say --url or --data-dir"));
  }
  while (place.url.ends_with('/')) place.url.pop_back();
  TRY_ASSIGN(place.token, first_line(token_file.empty() ? data_dir + "/token" : token_file,
                                     "say --token-file or --data-dir"));
  return place;
}

Result<Answer> Client::post(const std::string& path, const json::value& body, Headers headers) {
  headers.emplace_back("Content-Type", "application/json");
  return call("POST", path, to_json(body), std::move(headers));
}

Result<Answer> Client::call(const std::string& method, const std::string& path, std::string body,
                            Headers headers) {
  HttpRequest request;
  request.method = method;
  request.url = place_.url + path;
  request.headers = std::move(headers);
  request.headers.emplace_back("Authorization", "Bearer " + place_.token);
  request.headers.emplace_back("Accept", "application/json");
  request.body = std::move(body);
  request.timeouts.connect_ms = kConnectMs;
  request.max_response_bytes = kAnswerLimits.size_bytes;
  request.allow_private = true;  // it is the user's own server, usually on this machine
  std::promise<HttpResult> done;
  HttpCallbacks callbacks;
  callbacks.on_done = [&done](HttpResult result) { done.set_value(std::move(result)); };
  http_.send(std::move(request), std::move(callbacks));
  HttpResult result = done.get_future().get();
  if (result.end != HttpResult::End::kComplete) {
    return fail(Code::kUnavailable,
                fmt::format("no answer of a server at {}: {}", place_.url, result.detail));
  }
  if (result.status < 200 || result.status > 299) return tl::unexpected(error_of(result));
  TRY_ASSIGN(json::value value, parse_json(result.body, "the server's answer", kAnswerLimits));
  return Answer{std::move(result.body), std::move(value)};
}

}  // namespace perdure::cli
