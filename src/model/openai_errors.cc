#include "model/openai_errors.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace perdure {
namespace {

using enum FailureClass;

constexpr size_t kDetailMaxBytes = 600;
constexpr size_t kErrorBodyMaxBytes = 64 * 1024;

struct CodeRow {
  std::string_view code;  // the error's `code`, or its `type`
  FailureClass failure;
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
    {"server_error", kTransient},
    {"server_is_overloaded", kTransient},
    {"service_unavailable_error", kTransient},
    {"vector_store_timeout", kTransient},
    {"conversation_locked", kTransient},
    {"invalid_api_key", kAuth},
    {"model_not_found", kInvalid},
    {"invalid_prompt", kInvalid},
    {"data_residency_mismatch", kInvalid},
    {"content_filter", kRefusal},
    {"content_policy_violation", kRefusal},
    {"bio_policy", kRefusal},
    {"image_content_policy_violation", kRefusal},
};

struct StatusRow {
  int first, last;
  FailureClass failure;
};

constexpr StatusRow kStatuses[] = {
    {400, 400, kInvalid},   {401, 401, kAuth},      {402, 402, kQuota},     {403, 403, kAuth},
    {404, 404, kInvalid},   {408, 409, kTransient}, {413, 413, kTooLarge},  {422, 422, kInvalid},
    {429, 429, kRateLimit}, {400, 499, kInvalid},   {500, 599, kTransient}, {300, 399, kInvalid},
};

// Servers that imitate the API say this in words only.
constexpr std::string_view kOverflowWords[] = {
    "maximum context length", "context length exceeded", "context window",
    "exceeds the available context size", "prompt is too long"};

struct ApiError {
  std::string code;
  std::string type;
  std::string message;
  int status = 0;  // OpenRouter and others: the status as a number in `code`
};

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

ApiError read_error(const json::value& value) {
  ApiError error;
  if (const auto* text = value.if_string()) error.message = *text;
  const json::object* object = value.if_object();
  if (object == nullptr) return error;
  error.code = text_of(*object, "code");
  error.type = text_of(*object, "type");
  error.message = text_of(*object, "message");
  const json::value* code = object->if_contains("code");
  if (code != nullptr && code->is_int64()) {
    const int64_t status = code->get_int64();
    if (status >= 400 && status <= 599) error.status = static_cast<int>(status);
  }
  return error;
}

// {"error": {...}}, {"error": "..."}, or the error itself (vLLM, FastAPI's {"detail": ...}).
ApiError read_body(std::string_view body) {
  const auto parsed = parse_json(body, "error", {.size_bytes = kErrorBodyMaxBytes});
  if (!parsed || !parsed->is_object()) return {};
  const json::object& object = parsed->get_object();
  if (const json::value* error = object.if_contains("error")) return read_error(*error);
  ApiError error = read_error(*parsed);
  if (error.message.empty()) error.message = text_of(object, "detail");
  return error;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

FailureClass class_of_code(const ApiError& error) {
  for (const std::string* word : {&error.code, &error.type}) {
    for (const CodeRow& row : kCodes) {
      if (row.code == *word) return row.failure;
    }
    if (word->starts_with("image_")) return kInvalid;
  }
  return kNone;
}

FailureClass class_of_status(int status) {
  for (const StatusRow& row : kStatuses) {
    if (status >= row.first && status <= row.last) return row.failure;
  }
  return kMalformedOutput;
}

bool says_overflow(const ApiError& error) {
  const std::string message = lower_case(error.message);
  return std::any_of(std::begin(kOverflowWords), std::end(kOverflowWords),
                     [&](auto words) { return message.find(words) != std::string::npos; });
}

FailureClass class_of(int status, const ApiError& error) {
  const FailureClass by_status = class_of_status(status);
  const FailureClass by_code = class_of_code(error);
  if (status == 401) return kAuth;  // whatever words come with it
  if (by_code != kNone) return by_code;
  if ((by_status == kInvalid || by_status == kTooLarge) && says_overflow(error)) {
    return kContextOverflow;
  }
  return by_status;
}

Outcome outcome_of(FailureClass failure) {
  switch (failure) {
    case kRateLimit:
      return Outcome::kDeferred;
    case kQuota:
    case kAuth:
    case kInvalid:
    case kContextOverflow:
    case kTooLarge:
    case kRefusal:
      return Outcome::kFailed;
    default:
      return Outcome::kInDoubt;
  }
}

// x-should-retry wins over everything. A refusal that may be sent again has done nothing yet.
Outcome with_advice(Outcome outcome, const HttpHeaders& headers) {
  const auto advice = should_retry(headers);
  if (!advice) return outcome;
  if (!*advice) return Outcome::kFailed;
  return outcome == Outcome::kFailed ? Outcome::kDeferred : outcome;
}

// One line, bounded, UTF-8.
std::string one_line(std::string_view text) {
  size_t size = std::min(text.size(), kDetailMaxBytes);
  while (size > 0 && size < text.size() && (text[size] & 0xC0) == 0x80) --size;
  std::string line(text.substr(0, size));
  const bool utf8 = is_valid_utf8(line);
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = ' ';
    if (byte >= 0x80 && !utf8) c = '?';
  }
  return line;
}

std::string describe(std::string_view place, const ApiError& error, const HttpHeaders& headers) {
  std::string detail(place);
  const std::string& word = error.code.empty() ? error.type : error.code;
  if (!word.empty()) detail += " " + one_line(word);
  if (!error.message.empty()) detail += ": " + one_line(error.message);
  const std::string* request_id = find_header(headers, "x-request-id");
  if (request_id != nullptr) detail += fmt::format(" (request id {})", one_line(*request_id));
  return detail;
}

std::string with_words(std::string text, std::string_view more) {
  if (!more.empty()) text += fmt::format(": {}", one_line(more));
  return text;
}

CallFailure ended_early(HttpResult::End end, std::string_view detail) {
  switch (end) {
    case HttpResult::End::kNotSent:
      return {kTransient, Outcome::kNotSent, 0, with_words("the request was not sent", detail)};
    case HttpResult::End::kTimedOut:
      return {kAmbiguous, Outcome::kInDoubt, 0, with_words("no whole answer in time", detail)};
    case HttpResult::End::kCut:
      return {kAmbiguous, Outcome::kInDoubt, 0,
              with_words("the connection ended before the answer did", detail)};
    case HttpResult::End::kTooLarge:
      return {kMalformedOutput, Outcome::kInDoubt, 0,
              with_words("the answer is larger than is accepted", detail)};
    case HttpResult::End::kCancelled:
      return {kAmbiguous, Outcome::kInDoubt, 0,
              with_words("cancelled after the request was sent", detail)};
    case HttpResult::End::kComplete:
      break;
  }
  return {kMalformedOutput, Outcome::kInDoubt, 0, "the answer is not a completion"};
}

}  // namespace

CallFailure classify(int status, const HttpHeaders& headers, std::string_view body,
                     HttpResult::End end, std::string_view end_detail, int64_t now_ms) {
  // The head alone tells a refusal, even when the body was cut.
  const bool refused = status >= 300 && end != HttpResult::End::kNotSent;
  if (!refused && end != HttpResult::End::kComplete) return ended_early(end, end_detail);
  const ApiError error = read_body(body);
  CallFailure out;
  out.failure = class_of(refused ? status : error.status, error);
  out.outcome = with_advice(outcome_of(out.failure), headers);
  out.retry_after_ms = retry_after_ms(headers, out.failure == kRateLimit, now_ms);
  out.detail = describe(fmt::format("HTTP {}", status), error, headers);
  if (status >= 300 && status < 400) out.detail += ": redirects are not followed; check base_url";
  return out;
}

CallFailure classify_stream_error(const json::value& value, const HttpHeaders& headers,
                                  int64_t now_ms) {
  const ApiError error = read_error(value);
  CallFailure out;
  out.failure = class_of_code(error);
  if (out.failure == kNone && says_overflow(error)) out.failure = kContextOverflow;
  if (out.failure == kNone) out.failure = error.status ? class_of_status(error.status) : kTransient;
  out.outcome = outcome_of(out.failure);
  out.retry_after_ms = retry_after_ms(headers, out.failure == kRateLimit, now_ms);
  out.detail = describe("error in the answer", error, headers);
  return out;
}

}  // namespace perdure
