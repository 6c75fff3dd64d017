#include "tool/http_outcome.h"

#include <fmt/core.h>

#include "base/base64.h"
#include "base/retry_after.h"
#include "base/text.h"
#include "tool/outcome.h"

namespace perdure {
namespace {

using End = HttpResult::End;

constexpr size_t kExcerptMaxBytes = 300;

struct Meaning {
  Outcome outcome;
  FailureClass failure;
};

constexpr Meaning kDone = {Outcome::kSucceeded, FailureClass::kNone};
constexpr Meaning kDoubt = {Outcome::kInDoubt, FailureClass::kAmbiguous};

Meaning meaning_of_status(int status, EffectClass effect) {
  if (status >= 200 && status <= 299) return kDone;
  switch (status) {
    case 400:
    case 404:
    case 405:
    case 422:
      return {Outcome::kFailed, FailureClass::kInvalid};
    case 401:
    case 403:
      return {Outcome::kFailed, FailureClass::kAuth};
    case 413:
      return {Outcome::kFailed, FailureClass::kTooLarge};
    case 409:
      if (effect == EffectClass::kIdempotent) return {Outcome::kDeferred, FailureClass::kTransient};
      return {Outcome::kFailed, FailureClass::kInvalid};
    case 429:
      return {Outcome::kDeferred, FailureClass::kRateLimit};
    default:
      return kDoubt;
  }
}

FailureClass class_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSucceeded:
      return FailureClass::kNone;
    case Outcome::kFailed:
      return FailureClass::kInvalid;
    case Outcome::kNotSent:
    case Outcome::kDeferred:
      return FailureClass::kTransient;
    case Outcome::kInDoubt:
      break;
  }
  return FailureClass::kAmbiguous;
}

Meaning meaning_of(const HttpToolConfig& config, const HttpResult& result, EffectClass effect) {
  if (result.end == End::kNotSent) return {Outcome::kNotSent, FailureClass::kTransient};
  // Too large is our own doing, behind a head that had come.
  const bool answered = result.end == End::kComplete || result.end == End::kTooLarge;
  if (!answered || result.status == 0) return kDoubt;
  if (const auto declared = config.definite.find(result.status);
      declared != config.definite.end()) {
    return {declared->second, class_of(declared->second)};
  }
  return meaning_of_status(result.status, effect);
}

// Drops the bytes of a character that was cut in two.
void drop_half_character(std::string& text) {
  for (size_t tail = 1; tail <= 3 && tail <= text.size(); ++tail) {
    const auto byte = static_cast<uint8_t>(text[text.size() - tail]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t needs = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    if (needs > tail) text.resize(text.size() - tail);
    return;
  }
}

std::string detail_of(const HttpResult& result, std::string_view represented) {
  std::string detail = result.status == 0 ? std::string() : fmt::format("HTTP {}", result.status);
  if (result.status >= 300 && result.status <= 399) detail += " (redirects are not followed)";
  if (!represented.empty()) detail += ": " + excerpt(represented);
  if (!result.detail.empty()) detail += (detail.empty() ? "" : "; ") + result.detail;
  return detail;
}

int64_t retry_after_ms(const HttpResult& result, int64_t now_unix_ms) {
  for (const auto& [name, value] : result.headers) {
    if (name == "retry-after") return parse_retry_after_ms(value, now_unix_ms).value_or(0);
  }
  return 0;
}

}  // namespace

std::string excerpt(std::string_view text) {
  std::string line(beginning(text, kExcerptMaxBytes));
  if (line.size() < text.size()) line += "...";
  for (char& c : line) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return line;
}

std::string represent(std::string body, bool cut, const Masker& masker) {
  const size_t size = body.size();
  std::string text = cut ? masker.mask_cut(std::move(body)) : masker.mask(std::move(body));
  std::string whole = text;
  if (cut) drop_half_character(whole);
  if (is_valid_utf8(whole)) {
    if (cut) whole += fmt::format("\n[truncated: the answer is longer than {} bytes]", size);
    return whole;
  }
  return fmt::format(R"({{"encoding":"base64","bytes":"{}"{}}})", to_base64(text),
                     cut ? R"(,"truncated":true)" : "");
}

SettleStep classify(const HttpToolConfig& config, const Send& send, HttpResult result,
                    const Masker& masker, int64_t now_unix_ms) {
  const Meaning meaning = meaning_of(config, result, send.effect);
  SettleStep settle = settle_of(send, meaning.outcome, meaning.failure);
  const bool cut = result.end != End::kComplete;
  const bool empty = result.body.empty();
  std::string text = represent(std::move(result.body), cut && !empty, masker);
  if (settle.outcome != Outcome::kSucceeded) settle.detail = masker.mask(detail_of(result, text));
  if (settle.outcome == Outcome::kDeferred || settle.outcome == Outcome::kInDoubt) {
    settle.retry_after_ms = retry_after_ms(result, now_unix_ms);
  }
  const bool definite = settle.outcome == Outcome::kSucceeded || settle.outcome == Outcome::kFailed;
  if (settle.outcome == Outcome::kSucceeded || (definite && !empty)) {
    settle.result = Payload::of(std::move(text));
  }
  return settle;
}

}  // namespace perdure
