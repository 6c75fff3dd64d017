#pragma once
// Why a call has no answer. What the codecs of all providers share.
//
// A refusal before any work is FAILED (or DEFERRED, when waiting helps). What may have been
// computed, and so paid for, without reaching us is IN_DOUBT: a model call has no other effect, so
// the core may call again and shows the attempt.
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "journal/price.h"
#include "journal/terms.h"
#include "model/retry_hint.h"
#include "ports/http_client.h"

namespace perdure {

struct CallFailure {
  FailureClass failure = FailureClass::kNone;
  Outcome outcome = Outcome::kInDoubt;
  int64_t retry_after_ms = 0;
  std::string detail;  // for people; bounded; of the body only the error's own words
  // Of an error that came inside an answer.
  bool refused_work = false;             // its words are those of a status that refuses work
  bool had_output = false;               // a part of the answer had come before
  std::optional<TokenCounts> counted{};  // by the provider until then
};

// The answer came and makes no sense.
CallFailure malformed_answer(std::string_view why);
// There is no whole answer, and nothing was refused. kComplete: what came is not the whole.
CallFailure ended_early(HttpResult::End end, std::string_view detail);

// No provider asks money for an error of its own. Behind a gateway that ran out of time (504; 524,
// 598 and 599 of some) it may have answered, though.
bool status_refuses_work(int status);
// Of the body of a refusal no more is kept and read.
inline constexpr size_t kErrorBodyMaxBytes = 64 * 1024;
// Null if it is no JSON.
json::value parse_error_body(std::string_view body);

// What a failure of this class means for a call that was sent.
Outcome outcome_of(FailureClass failure);
// x-should-retry wins over everything. A refusal that may be sent again has done nothing yet.
Outcome with_advice(Outcome outcome, const HttpHeaders& headers);
// By the status alone, as far as the providers agree.
FailureClass class_of_status(int status);
// One of the words (in lower case) stands in it.
bool says_any(std::string_view text, std::initializer_list<std::string_view> words);
// Many servers say this in words only.
bool says_context_overflow(std::string_view message);

// One line, bounded, UTF-8.
std::string one_line(std::string_view text);
// "HTTP 429 rate_limit_exceeded: Slow down. (request id req_1)". Empty parts are left out.
std::string describe_failure(std::string_view place, std::string_view word,
                             std::string_view message, const std::string* request_id);

}  // namespace perdure
