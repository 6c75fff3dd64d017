#include "cli/client.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <future>

#include "base/percent.h"
#include "cli/own_server.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int kConnectMs = 5'000;
constexpr int64_t kLookMs = 1'000;
constexpr int64_t kStreamMs = 24 * 3'600'000;
constexpr int64_t kStreamGapMs = 60'000;  // the server says something every 15 s
constexpr JsonLimits kAnswerLimits{.depth = 200, .size_bytes = 256u << 20};

Result<std::string> first_line(const std::string& path, std::string_view advice) {
  std::ifstream file(path);
  std::string line;
  if (file && std::getline(file, line) && !line.empty()) return line;
  return fail(Code::kUnavailable, fmt::format("cannot read {}: {}; {}", path,
                                              std::strerror(errno != 0 ? errno : ENODATA), advice));
}

// A port that a server left when it was killed may be anybody's by now, who would be given the
// token. The lock is held only after an old address was removed. What is left is a server that is
// killed between this look and the request.
Result<std::string> own_address(const std::string& data_dir) {
  constexpr const char* kAdvice =
      "no server runs there: start one with 'perdure serve', or say --url or --data-dir";
  if (is_held(data_dir)) return first_line(data_dir + "/address", kAdvice);
  return fail(Code::kUnavailable, fmt::format("no process holds {}/lock: {}", data_dir, kAdvice));
}

Code code_of(int status) {
  switch (status) {
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kForbidden;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kConflict;
    case 503:
      return Code::kUnavailable;
    default:
      return status >= 500 ? Code::kExhausted : Code::kInvalid;
  }
}

HttpResult sent(HttpClient& http, HttpRequest request) {
  std::promise<HttpResult> done;
  HttpCallbacks callbacks;
  callbacks.on_done = [&done](HttpResult result) { done.set_value(std::move(result)); };
  http.send(std::move(request), std::move(callbacks));
  return done.get_future().get();
}

}  // namespace

const json::object& Answer::object() const {
  static const json::object kNothing;
  const json::object* found = value.if_object();
  return found != nullptr ? *found : kNothing;
}

Result<Place> find_place(const PlaceFlags& flags) {
  Place place{flags.url, {}, flags.token_file};
  while (place.url.ends_with('/')) place.url.pop_back();
  if (place.url.empty() || place.token_file.empty()) {
    const auto own = own_address(flags.data_dir);
    if (place.url.empty()) {
      TRY_ASSIGN(place.url, own);
    } else if (!own) {
      return fail(own.error().code,
                  fmt::format("{}; without --token-file its token is for its own server alone",
                              own.error().message));
    } else if (*own != place.url) {
      return fail(Code::kInvalid,
                  fmt::format("{} is not the server of {}, whose token is for that server alone: "
                              "say --token-file",
                              place.url, flags.data_dir));
    }
  }
  if (place.token_file.empty()) place.token_file = flags.data_dir + "/token";
  TRY_ASSIGN(place.token, first_line(place.token_file, "say --token-file or --data-dir"));
  return place;
}

// What RFC 9457 says of a refusal, or the little that there is.
Error Client::refusal(int status, const std::string& body) const {
  const auto parsed = parse_json(body, "answer", kAnswerLimits);
  const json::object* problem = parsed ? parsed->if_object() : nullptr;
  const std::string code = problem != nullptr ? text_at(*problem, "code") : "";
  std::string detail = problem != nullptr ? text_at(*problem, "detail") : "";
  if (status == 401) {
    detail += fmt::format(
        "; the token was read from {}: say --token-file, or --data-dir of the server at {}",
        place_->token_file, place_->url);
  }
  if (detail.empty()) detail = "the server refuses";
  return {code_of(status),
          fmt::format("{} (HTTP {}{}{})", detail, status, code.empty() ? "" : " ", code)};
}

Error Client::problem_error(const json::object& problem) {
  return {Code::kExhausted, fmt::format("{} (HTTP {} {})", text_at(problem, "detail"),
                                        text_at(problem, "status"), text_at(problem, "code"))};
}

Status Client::find() {
  TRY_ASSIGN(place_, find_place(flags_));
  return {};
}

HttpRequest Client::request(const std::string& method, const std::string& path) const {
  HttpRequest request;
  request.method = method;
  request.url = place_->url + path;
  request.headers.emplace_back("Authorization", "Bearer " + place_->token);
  request.timeouts.connect_ms = kConnectMs;
  request.max_response_bytes = kAnswerLimits.size_bytes;
  request.allow_private = true;  // it is the user's own server, usually on this machine
  return request;
}

Result<Answer> Client::post(const std::string& path, const json::value& body,
                            std::string_view expected, Headers headers) {
  headers.emplace_back("Content-Type", "application/json");
  return call("POST", path, to_json(body), std::move(headers), expected);
}

Result<Answer> Client::put(const std::string& path, const json::value& body,
                           std::string_view expected) {
  return call("PUT", path, to_json(body), {{"Content-Type", "application/json"}}, expected);
}

Status Client::del(const std::string& path) {
  TRY_ASSIGN(const Answer answer, call("DELETE", path, {}, {}, {}));
  return answer.text.empty() ? Status() : tl::unexpected(stranger(path));
}

Error Client::stranger(const std::string& path) const {
  return {Code::kUnavailable,
          fmt::format("this is no Perdure server: what {} says to {} is something else",
                      place_->url, path.substr(0, path.find('?')))};
}

Result<Answer> Client::call(const std::string& method, const std::string& path, std::string body,
                            Headers headers, std::string_view expected) {
  TRY_STATUS(find());
  HttpRequest asked = request(method, path);
  for (auto& header : headers) asked.headers.push_back(std::move(header));
  asked.headers.emplace_back("Accept", "application/json");
  asked.body = std::move(body);
  HttpResult result = sent(http_, std::move(asked));
  if (result.end != HttpResult::End::kComplete) {
    return fail(
        Code::kUnavailable,
        fmt::format("no answer of a server at {}: {}; if it should run there, start it with "
                    "'perdure serve'",
                    place_->url, result.detail));
  }
  if (result.status < 200 || result.status > 299) {
    return tl::unexpected(refusal(result.status, result.body));
  }
  Answer answer{std::move(result.body), json::object()};
  if (expected.empty()) return answer;
  auto value = parse_json(answer.text, "the server's answer", kAnswerLimits);
  if (value) answer.value = std::move(*value);
  if (!answer.object().contains(expected)) return tl::unexpected(stranger(path));
  return answer;
}

Result<std::string> Client::url() {
  TRY_STATUS(find());
  return place_->url;
}

Result<Answer> Client::look_at(const std::string& url) {
  HttpRequest asked;
  asked.method = "GET";
  asked.url = url;
  asked.allow_private = true;
  asked.timeouts = {
      .connect_ms = kLookMs, .first_byte_ms = kLookMs, .gap_ms = kLookMs, .total_ms = kLookMs};
  HttpResult result = sent(http_, std::move(asked));
  if (result.end != HttpResult::End::kComplete || result.status != 200) {
    return fail(Code::kUnavailable, "nothing answers at " + url);
  }
  TRY_ASSIGN(json::value value, parse_json(result.body, "the answer", kAnswerLimits));
  return Answer{std::move(result.body), std::move(value)};
}

Result<HttpClient::CallId> Client::stream(const std::string& task, uint64_t after,
                                          HttpCallbacks callbacks) {
  TRY_STATUS(find());
  HttpRequest asked = request("GET", "/v1/tasks/" + task + "/events");
  asked.headers.emplace_back("Accept", "text/event-stream");
  if (after > 0) asked.headers.emplace_back("Last-Event-ID", std::to_string(after));
  asked.timeouts.gap_ms = kStreamGapMs;
  asked.timeouts.total_ms = kStreamMs;
  return http_.send(std::move(asked), std::move(callbacks));
}

Error Client::stream_error(const HttpResult& result, const std::string& body) const {
  const bool refused = result.end == HttpResult::End::kComplete && result.status >= 300;
  if (refused && result.status != 503) return refusal(result.status, body);
  return {Code::kUnavailable, result.detail.empty() ? "the connection ended" : result.detail};
}

}  // namespace perdure::cli
