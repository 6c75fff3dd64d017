#include "model/anthropic_errors.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json_fields.h"
#include "base/rfc3339.h"

namespace perdure {
namespace {

using enum FailureClass;

struct TypeRow {
  std::string_view type;
  FailureClass failure;
  bool refused_work = false;  // of kTransient: see call_failure.h
};

constexpr TypeRow kTypes[] = {
    {"invalid_request_error", kInvalid},
    {"authentication_error", kAuth},
    {"billing_error", kQuota},
    {"permission_error", kAuth},
    {"not_found_error", kInvalid},
    {"conflict_error", kTransient, true},
    {"request_too_large", kTooLarge},
    {"rate_limit_error", kRateLimit},
    {"enforced_spend_limit_reached", kQuota},
    {"api_error", kTransient, true},
    {"timeout_error", kTransient},
    {"overloaded_error", kTransient, true},
};

// The API says these in words only, under invalid_request_error.
constexpr std::initializer_list<std::string_view> kMoneyWords = {"credit balance", "spend limit",
                                                                 "usage limit", "billing"};
constexpr std::initializer_list<std::string_view> kOverflowWords = {"exceed context limit",
                                                                    "too many tokens"};

struct ApiError {
  std::string type;
  std::string message;
  std::string request_id;
};

ApiError read_error(const json::value& value) {
  ApiError error;
  if (const auto* text = value.if_string()) error.message = *text;
  if (const json::object* object = value.if_object()) {
    error.type = text_in(*object, "type");
    error.message = text_in(*object, "message");
  }
  return error;
}

ApiError read_body(std::string_view body) {
  const auto parsed = parse_error_body(body);
  if (!parsed.is_object()) return {};
  const json::object& object = parsed.get_object();
  const json::value* inner = object.if_contains("error");
  ApiError error = read_error(inner != nullptr ? *inner : parsed);
  error.request_id = text_in(object, "request_id");
  return error;
}

TypeRow row_of(const ApiError& error) {
  for (const TypeRow& row : kTypes) {
    if (row.type == error.type) return row;
  }
  return {"", kNone};
}

FailureClass by_words(FailureClass failure, const ApiError& error) {
  if (failure == kInvalid || failure == kTooLarge) {
    if (says_context_overflow(error.message) || says_any(error.message, kOverflowWords)) {
      return kContextOverflow;
    }
  }
  const bool money = failure == kInvalid || failure == kRateLimit;
  return money && says_any(error.message, kMoneyWords) ? kQuota : failure;
}

std::string describe(std::string_view place, const ApiError& error, const HttpHeaders& headers) {
  const std::string* header = find_header(headers, "request-id");
  const std::string* id = header != nullptr          ? header
                          : error.request_id.empty() ? nullptr
                                                     : &error.request_id;
  return describe_failure(place, error.type, error.message, id);
}

}  // namespace

int64_t anthropic_reset_ms(const HttpHeaders& headers, int64_t now_ms) {
  int64_t longest = 0;
  for (const std::string_view what : {"requests", "tokens", "input-tokens", "output-tokens"}) {
    const std::string name = "anthropic-ratelimit-" + std::string(what);
    const std::string* remaining = find_header(headers, name + "-remaining");
    const std::string* reset = find_header(headers, name + "-reset");
    if (reset == nullptr || (remaining != nullptr && *remaining != "0")) continue;
    const auto at_ms = parse_rfc3339(*reset);
    if (at_ms) longest = std::max(longest, *at_ms - now_ms);
  }
  return std::clamp<int64_t>(longest, 0, kRetryHintMaxMs);
}

CallFailure classify_anthropic(int status, std::string_view body, const AnswerEnd& end) {
  const ApiError error = read_body(body);
  CallFailure out;
  out.retry_after_ms = retry_after_ms(end.headers, false, end.now_ms);
  out.failure = row_of(error).failure;
  if (out.failure == kNone || status == 401) out.failure = class_of_status(status);
  out.failure = by_words(out.failure, error);
  if (out.failure == kRateLimit && out.retry_after_ms == 0) {
    out.retry_after_ms = anthropic_reset_ms(end.headers, end.now_ms);
    // A limit that does not say when it ends is a cap on money, not a rate.
    if (out.retry_after_ms == 0 && error.type == "rate_limit_error") out.failure = kQuota;
  }
  out.outcome = with_advice(outcome_of(out.failure), end.headers);
  out.detail = describe(fmt::format("HTTP {}", status), error, end.headers);
  return out;
}

CallFailure classify_anthropic_error(const json::value& value, const AnswerEnd& end) {
  const ApiError error = read_error(value);
  CallFailure out;
  const TypeRow row = row_of(error);
  out.failure = by_words(row.failure, error);
  out.refused_work = row.refused_work;
  if (out.failure == kNone) out.failure = kTransient;
  out.outcome = outcome_of(out.failure);
  out.retry_after_ms = retry_after_ms(end.headers, false, end.now_ms);
  out.detail = describe("error in the answer", error, end.headers);
  return out;
}

}  // namespace perdure
