#pragma once
// What the model is told about a call. The words are fixed and hold no time and no id, so that the
// same journal always gives the same bytes, and providers' prompt caches keep matching.
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"
#include "journal/payload.h"

namespace perdure {

struct ToolResult {
  std::shared_ptr<const std::string> text;  // never empty: some providers refuse empty content
  Sha256 hash;                              // of `text`
  bool is_error = false;
  bool is_blob = false;  // `text` is a payload as it stands in the blob store, under `hash`
};

// A verdict reason that begins so was given by the loop itself: the call could not be read.
inline constexpr std::string_view kMalformedCall = "malformed call: ";

// Those with a payload fail if its bytes are not at hand; erased bytes are said to be erased.
// `as_text`: InlineRules::as_text.
Result<ToolResult> result_of_success(const Payload& result, bool as_text);
Result<ToolResult> result_of_failure(std::string_view detail, const Payload& result, bool as_text);
Result<ToolResult> result_asserted_done(const Payload& result);
ToolResult result_asserted_not_done(std::string_view message);
ToolResult result_denied(std::string_view reason);
ToolResult result_refused(std::string_view message);
ToolResult result_in_words(std::string text, bool is_error);
ToolResult result_waited(int64_t now_ms);
// Nobody decided in time.
ToolResult result_expired();
// A person gave the result, and nothing was sent.
Result<ToolResult> result_answered(const Payload& answer);
// A question that nobody will answer.
ToolResult result_unanswered(std::string_view message, bool expired);
// What a call gave that was made with a person's arguments in place of the model's.
ToolResult result_of_edited(const ToolResult& result, const Payload& args);
ToolResult result_malformed(std::string_view reason);
ToolResult result_unknown(std::string_view reason);
// `earlier`: what the model was told about the equal call; null if that is not known.
ToolResult result_repeated(const ToolResult* earlier);

}  // namespace perdure
