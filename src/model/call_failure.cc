#include "model/call_failure.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace perdure {
namespace {

using enum FailureClass;

constexpr size_t kDetailMaxBytes = 600;

struct StatusRow {
  int first, last;
  FailureClass failure;
};

constexpr StatusRow kStatuses[] = {
    {400, 400, kInvalid},   {401, 401, kAuth},      {402, 402, kQuota},     {403, 403, kAuth},
    {404, 404, kInvalid},   {408, 409, kTransient}, {413, 413, kTooLarge},  {422, 422, kInvalid},
    {429, 429, kRateLimit}, {400, 499, kInvalid},   {500, 599, kTransient}, {300, 399, kInvalid},
};

constexpr std::initializer_list<std::string_view> kOverflowWords = {
    "maximum context length", "context length exceeded", "context window",
    "exceeds the available context size", "prompt is too long"};

std::string with_words(std::string text, std::string_view more) {
  if (!more.empty()) text += fmt::format(": {}", one_line(more));
  return text;
}

}  // namespace

CallFailure malformed_answer(std::string_view why) {
  return {kMalformedOutput, Outcome::kInDoubt, 0,
          fmt::format("the answer cannot be read: {}", why)};
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
  return {kAmbiguous, Outcome::kInDoubt, 0, "the stream ended before the answer did"};
}

json::value parse_error_body(std::string_view body) {
  return parse_json(body, "error", {.size_bytes = kErrorBodyMaxBytes}).value_or(nullptr);
}

bool status_refuses_work(int status) {
  return status >= 500 && status != 504 && status != 524 && status < 598;
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

Outcome with_advice(Outcome outcome, const HttpHeaders& headers) {
  const auto advice = should_retry(headers);
  if (!advice) return outcome;
  if (!*advice) return Outcome::kFailed;
  return outcome == Outcome::kFailed ? Outcome::kDeferred : outcome;
}

FailureClass class_of_status(int status) {
  for (const StatusRow& row : kStatuses) {
    if (status >= row.first && status <= row.last) return row.failure;
  }
  return kMalformedOutput;
}

bool says_any(std::string_view text, std::initializer_list<std::string_view> words) {
  const std::string lower = lower_case(text);
  return std::any_of(words.begin(), words.end(),
                     [&](auto word) { return lower.find(word) != std::string::npos; });
}

bool says_context_overflow(std::string_view message) {
  return says_any(message, kOverflowWords);
}

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

std::string describe_failure(std::string_view place, std::string_view word,
                             std::string_view message, const std::string* request_id) {
  std::string detail(place);
  if (!word.empty()) detail += " " + one_line(word);
  if (!message.empty()) detail += ": " + one_line(message);
  if (request_id != nullptr) detail += fmt::format(" (request id {})", one_line(*request_id));
  return detail;
}

}  // namespace perdure
