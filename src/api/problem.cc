#include "api/problem.h"

#include "base/json.h"
#include "base/json_text.h"
#include "base/log.h"

namespace perdure::api {
namespace {

struct Known {
  int status;
  std::string_view code;
};

// In the order of Code.
constexpr Known kKnown[] = {
    {422, "invalid_request"}, {404, "not_found"}, {409, "conflict"},  {401, "unauthenticated"},
    {403, "forbidden"},       {413, "too_large"}, {507, "exhausted"}, {503, "unavailable"},
    {504, "timeout"},         {409, "cancelled"}, {500, "damaged"},   {501, "unsupported"},
    {500, "internal"},
};

// "unknown_agent" -> "Unknown agent"
std::string title_of(std::string_view code) {
  std::string title(code);
  for (char& c : title) {
    if (c == '_') c = ' ';
  }
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') title[0] -= 'a' - 'A';
  return title;
}

}  // namespace

Response to_response(const Problem& problem) {
  const json::object body{{"type", "urn:perdure:problem:" + std::string(problem.code)},
                          {"title", title_of(problem.code)},
                          {"status", problem.status},
                          {"detail", problem.detail},
                          {"code", problem.code}};
  Response response;
  response.status = problem.status;
  response.headers = problem.headers;
  response.headers.emplace_back("content-type", "application/problem+json");
  response.headers.emplace_back("cache-control", "no-store");
  if (problem.status == 503 || problem.status == 507) {
    response.headers.emplace_back("retry-after", "1");
  }
  response.body = json_text(body);
  return response;
}

Response problem(const Error& error) {
  const Known& known = kKnown[static_cast<size_t>(error.code)];
  const bool said = known.status != 500 || error.code == Code::kCorrupt;
  if (said) return problem(known.status, known.code, error.message);
  log(LogLevel::kError, "api.error", {{"code", std::string(known.code)}, {"why", error.message}});
  return problem(known.status, known.code, "the server's log says more");
}

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers = {{"content-type", "application/json"}, {"cache-control", "private, no-cache"}};
  response.body = std::move(body);
  return response;
}

}  // namespace perdure::api
