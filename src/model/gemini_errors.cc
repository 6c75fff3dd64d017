#include "model/gemini_errors.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "base/json_fields.h"

namespace perdure {
namespace {

using enum FailureClass;

struct StatusRow {
  std::string_view status;
  FailureClass failure;
};

// google.rpc.Code: says more than the number of HTTP.
constexpr StatusRow kStatuses[] = {
    {"INVALID_ARGUMENT", kInvalid},
    {"OUT_OF_RANGE", kInvalid},
    {"UNIMPLEMENTED", kInvalid},
    {"NOT_FOUND", kInvalid},
    {"FAILED_PRECONDITION", kAuth},  // a region without the service, or no billing
    {"UNAUTHENTICATED", kAuth},
    {"PERMISSION_DENIED", kAuth},
    {"RESOURCE_EXHAUSTED", kRateLimit},
    {"CANCELLED", kAmbiguous},
    {"ABORTED", kTransient},
    {"INTERNAL", kTransient},
    {"UNKNOWN", kTransient},
    {"UNAVAILABLE", kTransient},
    {"DEADLINE_EXCEEDED", kTransient},
};

struct ApiError {
  int64_t code = 0;
  std::string status;
  std::string message;
  std::string reason;  // of ErrorInfo
  std::string quotas;  // the ids that are used up
  int64_t retry_after_ms = 0;
};

void read_detail(const json::object& detail, ApiError& error) {
  const std::string_view type = text_in(detail, "@type");
  if (type.ends_with("google.rpc.RetryInfo")) {
    const auto delay = parse_reset_ms(text_in(detail, "retryDelay"));
    error.retry_after_ms = std::clamp<int64_t>(delay.value_or(0), 0, kRetryHintMaxMs);
  } else if (type.ends_with("google.rpc.ErrorInfo")) {
    error.reason = text_in(detail, "reason");
  } else if (type.ends_with("google.rpc.QuotaFailure")) {
    const json::array* violations = array_in(detail, "violations");
    if (violations == nullptr) return;
    for (const json::value& violation : *violations) {
      if (const auto* object = violation.if_object()) {
        error.quotas += std::string(text_in(*object, "quotaId")) + " ";
      }
    }
  }
}

ApiError read_error(const json::object& object) {
  ApiError error;
  const json::object* inner = object_in(object, "error");
  if (inner == nullptr) return error;
  error.code = integer_in(*inner, "code").value_or(0);
  error.status = text_in(*inner, "status");
  error.message = text_in(*inner, "message");
  if (const json::array* details = array_in(*inner, "details")) {
    for (const json::value& detail : *details) {
      if (const auto* item = detail.if_object()) read_detail(*item, error);
    }
  }
  return error;
}

// {"error": {...}}, or [{"error": {...}}] from an endpoint that streams an array.
ApiError read_body(std::string_view body) {
  const auto parsed = parse_error_body(body);
  const json::array* list = parsed.if_array();
  const json::value& first = list != nullptr && !list->empty() ? list->front() : parsed;
  return first.is_object() ? read_error(first.get_object()) : ApiError{};
}

// A limit per minute passes by itself. One of a day, of a month, or of money does not.
FailureClass class_of_exhaustion(const ApiError& error) {
  if (says_any(error.quotas, {"perday", "permonth", "spend"})) return kQuota;
  if (!error.quotas.empty() || error.retry_after_ms > 0) return kRateLimit;
  return says_any(error.message,
                  {"credits are depleted", "spending cap", "spend limit", "per day", "per month"})
             ? kQuota
             : kRateLimit;
}

FailureClass class_of_words(FailureClass failure, const ApiError& error) {
  if (failure == kInvalid) {
    if (error.reason.starts_with("API_KEY_")) return kAuth;
    const bool too_long =
        says_any(error.message, {"exceeds the maximum number of tokens", "input token count"});
    if (too_long || says_context_overflow(error.message)) return kContextOverflow;
  }
  if (failure == kAuth && error.status == "FAILED_PRECONDITION" &&
      says_any(error.message, {"billing", "free quota", "free tier"})) {
    return kQuota;
  }
  return failure;
}

FailureClass class_of(int http_status, const ApiError& error) {
  const auto* row = std::find_if(std::begin(kStatuses), std::end(kStatuses),
                                 [&](const StatusRow& r) { return r.status == error.status; });
  FailureClass failure = row != std::end(kStatuses) ? row->failure : class_of_status(http_status);
  if (http_status == 499) failure = kAmbiguous;
  if (http_status == 402) failure = kQuota;
  if (failure == kRateLimit) return class_of_exhaustion(error);
  return class_of_words(failure, error);
}

CallFailure failure_of(std::string_view place, int http_status, const ApiError& error,
                       const AnswerEnd& end) {
  CallFailure out;
  out.failure = class_of(http_status, error);
  out.outcome = with_advice(outcome_of(out.failure), end.headers);
  out.retry_after_ms = std::max(error.retry_after_ms,
                                retry_after_ms(end.headers, out.failure == kRateLimit, end.now_ms));
  out.detail = describe_failure(place, error.status, error.message, nullptr);
  return out;
}

}  // namespace

CallFailure classify_gemini(int status, std::string_view body, const AnswerEnd& end) {
  return failure_of(fmt::format("HTTP {}", status), status, read_body(body), end);
}

CallFailure classify_gemini_error(const json::object& object, const AnswerEnd& end) {
  const ApiError error = read_error(object);
  const bool has_code = error.code >= 400 && error.code <= 599;
  const int status = has_code ? static_cast<int>(error.code) : 500;
  CallFailure out = failure_of("error in the answer", status, error, end);
  out.refused_work = has_code && status_refuses_work(status);
  return out;
}

}  // namespace perdure
