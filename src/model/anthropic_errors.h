#pragma once
// What an answer of Anthropic's Messages API means when it is not an answer of the model:
// https://docs.anthropic.com/en/api/errors
#include "base/json.h"
#include "model/codec.h"

namespace perdure {

// See Codec::classify.
CallFailure classify_anthropic(int status, std::string_view body, const AnswerEnd& end);
// An `error` object that came inside an answer whose status was 200.
CallFailure classify_anthropic_error(const json::value& error, const AnswerEnd& end);

// Until when a limit that is used up holds, from the headers anthropic-ratelimit-*; 0: they do not
// say.
int64_t anthropic_reset_ms(const HttpHeaders& headers, int64_t now_ms);

}  // namespace perdure
