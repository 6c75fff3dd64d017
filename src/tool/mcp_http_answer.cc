#include "tool/mcp_http_answer.h"

#include <fmt/core.h>

#include "base/retry_after.h"
#include "tool/http_outcome.h"

namespace perdure {
namespace {

using End = HttpResult::End;

bool is_success(int status) {
  return status >= 200 && status <= 299;
}

McpLoss refused(int status, bool in_session) {
  McpLoss loss;
  switch (status) {
    case 404:
      if (in_session) return {Outcome::kDeferred, FailureClass::kTransient, "", 0};
      [[fallthrough]];
    case 400:
    case 405:
    case 406:
    case 415:
    case 422:
      return {Outcome::kFailed, FailureClass::kInvalid, "", 0};
    case 401:
    case 403:
      return {Outcome::kFailed, FailureClass::kAuth, "", 0};
    case 413:
      return {Outcome::kFailed, FailureClass::kTooLarge, "", 0};
    case 429:
      return {Outcome::kDeferred, FailureClass::kRateLimit, "", 0};
    default:
      return loss;
  }
}

}  // namespace

const std::string* answer_header(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return &value;
  }
  return nullptr;
}

McpBody mcp_body_of(const HttpHeaders& headers) {
  const std::string* type = answer_header(headers, "content-type");
  if (type == nullptr) return McpBody::kNone;
  if (type->starts_with("application/json")) return McpBody::kJson;
  return type->starts_with("text/event-stream") ? McpBody::kEvents : McpBody::kNone;
}

McpLoss loss_of(const HttpResult& result, bool in_session, int64_t now_unix_ms) {
  McpLoss loss;
  if (result.end == End::kNotSent) {
    loss = {Outcome::kNotSent, FailureClass::kTransient, "", 0};
  } else if (result.status != 0 && !is_success(result.status)) {
    loss = refused(result.status, in_session);
  }
  if (result.status != 0) loss.why = fmt::format("HTTP {}", result.status);
  if (result.status == 404 && in_session) loss.why += ", the session is over";
  if (is_success(result.status)) loss.why += ", and no answer to the request in it";
  if (!result.detail.empty()) loss.why += (loss.why.empty() ? "" : "; ") + result.detail;
  if (!is_success(result.status) && !result.body.empty()) {
    loss.why += ": " + excerpt(result.body);
  }
  if (const std::string* after = answer_header(result.headers, "retry-after")) {
    loss.retry_after_ms = parse_retry_after_ms(*after, now_unix_ms).value_or(0);
  }
  return loss;
}

}  // namespace perdure
