#pragma once
// What an answer of OpenAI's Chat Completions API, or of a server that imitates it, means when it
// is not a completion. Codes: https://platform.openai.com/docs/guides/error-codes
//
// A refusal before any work is FAILED (or DEFERRED, when waiting helps). What may have been
// computed, and so paid for, without reaching us is IN_DOUBT: a model call has no other effect, so
// the core may call again and shows the attempt.
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "journal/terms.h"
#include "model/retry_hint.h"
#include "ports/http_client.h"

namespace perdure {

struct CallFailure {
  FailureClass failure = FailureClass::kNone;
  Outcome outcome = Outcome::kInDoubt;
  int64_t retry_after_ms = 0;
  std::string detail;  // for people; bounded; of the body only the error's own words
};

// `body` is that of the answer, or its beginning. Also for an answer that ended early. Not for a
// complete answer with status 200 that is not an error object: that is for the stream's reader.
CallFailure classify(int status, const HttpHeaders& headers, std::string_view body,
                     HttpResult::End end, std::string_view end_detail, int64_t now_ms);

// An `error` object that came inside a stream whose status was 200.
CallFailure classify_stream_error(const json::value& error, const HttpHeaders& headers,
                                  int64_t now_ms);

}  // namespace perdure
