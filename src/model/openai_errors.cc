#include "model/openai_errors.h"

#include <fmt/core.h>

#include "base/json_fields.h"

namespace perdure {
namespace {

using enum FailureClass;

struct CodeRow {
  std::string_view code;  // the error's `code`, or its `type`
  FailureClass failure;
  bool refused_work = false;  // of kTransient: see call_failure.h
};

// Codes say more than the status they come with, so they are looked up first.
constexpr CodeRow kCodes[] = {
    {"context_length_exceeded", kContextOverflow},
    {"exceed_context_size_error", kContextOverflow},  // llama.cpp
    {"insufficient_quota", kQuota},
    {"credit_balance_exhausted", kQuota},
    {"organization_spend_limit_exceeded", kQuota},
    {"project_spend_limit_exceeded", kQuota},
    {"organization_usage_limit_exceeded", kQuota},
    {"billing_hard_limit_reached", kQuota},
    {"billing_not_active", kQuota},
    {"rate_limit_exceeded", kRateLimit},
    {"slow_down", kRateLimit},
    {"server_error", kTransient, true},
    {"server_is_overloaded", kTransient, true},
    {"service_unavailable_error", kTransient, true},
    {"vector_store_timeout", kTransient},
    {"conversation_locked", kTransient, true},
    {"invalid_api_key", kAuth},
    {"model_not_found", kInvalid},
    {"invalid_prompt", kInvalid},
    {"data_residency_mismatch", kInvalid},
    {"content_filter", kRefusal},
    {"content_policy_violation", kRefusal},
    {"bio_policy", kRefusal},
    {"image_content_policy_violation", kRefusal},
};

struct ApiError {
  std::string code;
  std::string type;
  std::string message;
  int status = 0;  // OpenRouter and others: the status as a number in `code`
};

ApiError read_error(const json::value& value) {
  ApiError error;
  if (const auto* text = value.if_string()) error.message = *text;
  const json::object* object = value.if_object();
  if (object == nullptr) return error;
  error.code = text_in(*object, "code");
  error.type = text_in(*object, "type");
  error.message = text_in(*object, "message");
  const int64_t status = integer_in(*object, "code").value_or(0);
  if (status >= 400 && status <= 599) error.status = static_cast<int>(status);
  return error;
}

// {"error": {...}}, {"error": "..."}, or the error itself (vLLM, FastAPI's {"detail": ...}).
ApiError read_body(std::string_view body) {
  const auto parsed = parse_error_body(body);
  if (!parsed.is_object()) return {};
  const json::object& object = parsed.get_object();
  if (const json::value* error = object.if_contains("error")) return read_error(*error);
  ApiError error = read_error(parsed);
  if (error.message.empty()) error.message = text_in(object, "detail");
  return error;
}

CodeRow row_of(const ApiError& error) {
  for (const std::string* word : {&error.code, &error.type}) {
    for (const CodeRow& row : kCodes) {
      if (row.code == *word) return row;
    }
    if (word->starts_with("image_")) return {"image_", kInvalid};
  }
  return {"", kNone};
}

FailureClass class_of(int status, const ApiError& error) {
  const FailureClass by_status = class_of_status(status);
  const FailureClass by_code = row_of(error).failure;
  if (status == 401) return kAuth;  // whatever words come with it
  if (by_code != kNone) return by_code;
  if ((by_status == kInvalid || by_status == kTooLarge) && says_context_overflow(error.message)) {
    return kContextOverflow;
  }
  return by_status;
}

std::string describe(std::string_view place, const ApiError& error, const HttpHeaders& headers) {
  return describe_failure(place, error.code.empty() ? error.type : error.code, error.message,
                          find_header(headers, "x-request-id"));
}

}  // namespace

CallFailure classify_openai(int status, std::string_view body, const AnswerEnd& end) {
  const ApiError error = read_body(body);
  CallFailure out;
  out.failure = class_of(status, error);
  out.outcome = with_advice(outcome_of(out.failure), end.headers);
  out.retry_after_ms = retry_after_ms(end.headers, out.failure == kRateLimit, end.now_ms);
  out.detail = describe(fmt::format("HTTP {}", status), error, end.headers);
  return out;
}

CallFailure classify_openai_error(const json::value& value, const AnswerEnd& end) {
  const ApiError error = read_error(value);
  CallFailure out;
  const CodeRow row = row_of(error);
  out.failure = row.failure;
  out.refused_work = row.failure == kNone ? status_refuses_work(error.status) : row.refused_work;
  if (out.failure == kNone && says_context_overflow(error.message)) out.failure = kContextOverflow;
  if (out.failure == kNone) out.failure = error.status ? class_of_status(error.status) : kTransient;
  out.outcome = outcome_of(out.failure);
  out.retry_after_ms = retry_after_ms(end.headers, out.failure == kRateLimit, end.now_ms);
  out.detail = describe("error in the answer", error, end.headers);
  return out;
}

}  // namespace perdure
