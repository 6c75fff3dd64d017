#include "model/bedrock_errors.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "base/json.h"
#include "base/json_fields.h"
#include "base/text.h"

namespace perdure {
namespace {

using enum FailureClass;

struct NameRow {
  std::string_view name;  // in lower case: streams write the first letter small
  FailureClass failure;
  bool refused_work = false;  // of kTransient: see call_failure.h
};

constexpr NameRow kNames[] = {
    {"throttlingexception", kRateLimit},
    {"toomanyrequestsexception", kRateLimit},
    {"modelnotreadyexception", kTransient, true},
    {"serviceunavailableexception", kTransient, true},
    {"internalserverexception", kTransient, true},
    {"internalfailure", kTransient, true},
    {"modeltimeoutexception", kTransient},
    {"modelstreamerrorexception", kTransient},
    {"modelerrorexception", kTransient},
    {"requesttimeout", kTransient},
    {"validationexception", kInvalid},
    {"resourcenotfoundexception", kInvalid},
    {"accessdeniedexception", kAuth},
    {"unrecognizedclientexception", kAuth},
    {"invalidsignatureexception", kAuth},
    {"signaturedoesnotmatch", kAuth},
    {"incompletesignature", kAuth},
    {"missingauthenticationtokenexception", kAuth},
    {"missingauthenticationtoken", kAuth},
    {"expiredtokenexception", kAuth},
    {"invalidclienttokenid", kAuth},
    {"optinrequired", kAuth},
    {"servicequotaexceededexception", kQuota},
};

constexpr std::initializer_list<std::string_view> kTooLong = {
    "input is too long", "too many input tokens", "exceeds the maximum number of tokens",
    "expected maxlength"};

struct ApiError {
  std::string name;
  std::string message;
};

// "com.amazon.coral#ThrottlingException:http://..." is a ThrottlingException.
std::string plain_name(std::string_view name) {
  name = name.substr(0, name.find(':'));
  if (const size_t at = name.rfind('#'); at != std::string_view::npos) name.remove_prefix(at + 1);
  return std::string(name);
}

ApiError read_body(std::string_view body) {
  const auto parsed = parse_error_body(body);
  const json::object* object = parsed.if_object();
  if (object == nullptr) return {};
  ApiError error{plain_name(text_in(*object, "__type")), {}};
  for (const std::string_view member : {"message", "Message", "originalMessage"}) {
    if (error.message.empty()) error.message = text_in(*object, member);
  }
  return error;
}

const NameRow* row_of(const ApiError& error) {
  const std::string name = lower_case(error.name);
  const auto* row = std::find_if(std::begin(kNames), std::end(kNames),
                                 [&](const NameRow& r) { return r.name == name; });
  return row != std::end(kNames) ? row : nullptr;
}

FailureClass class_of(const ApiError& error, FailureClass unknown) {
  const NameRow* row = row_of(error);
  const FailureClass failure = row != nullptr ? row->failure : unknown;
  if (failure == kRateLimit && says_any(error.message, {"per day", "per month"})) return kQuota;
  if (failure == kInvalid) {
    const bool too_long = says_any(error.message, kTooLong);
    if (too_long || says_context_overflow(error.message)) return kContextOverflow;
  }
  return failure;
}

CallFailure failure_of(std::string_view place, FailureClass failure, const ApiError& error,
                       const AnswerEnd& end) {
  CallFailure out;
  out.failure = failure;
  out.outcome = with_advice(outcome_of(failure), end.headers);
  out.retry_after_ms = retry_after_ms(end.headers, failure == kRateLimit, end.now_ms);
  out.detail = describe_failure(place, error.name, error.message,
                                find_header(end.headers, "x-amzn-requestid"));
  return out;
}

}  // namespace

CallFailure classify_bedrock(int status, std::string_view body, const AnswerEnd& end) {
  ApiError error = read_body(body);
  if (const std::string* type = find_header(end.headers, "x-amzn-errortype")) {
    error.name = plain_name(*type);
  }
  // 424 is ModelErrorException: the model failed, and may not the next time.
  const FailureClass by_status = status == 424 ? kTransient : class_of_status(status);
  return failure_of(fmt::format("HTTP {}", status), class_of(error, by_status), error, end);
}

CallFailure classify_bedrock_event(const AwsEvent& event, const AnswerEnd& end) {
  ApiError error = read_body(event.payload);
  error.name = plain_name(event.name);
  if (error.message.empty()) error.message = event.error_message;
  CallFailure out = failure_of("error in the answer", class_of(error, kTransient), error, end);
  const NameRow* row = row_of(error);
  out.refused_work = row != nullptr && row->refused_work;
  return out;
}

}  // namespace perdure
