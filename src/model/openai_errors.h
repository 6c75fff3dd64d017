#pragma once
// What an answer of OpenAI's APIs (Chat Completions, Responses), or of a server that imitates them,
// means when it is not an answer of the model. Codes:
// https://platform.openai.com/docs/guides/error-codes
#include <string_view>

#include "base/json.h"
#include "model/codec.h"

namespace perdure {

// See Codec::classify.
CallFailure classify_openai(int status, std::string_view body, const AnswerEnd& end);

// An `error` object that came inside an answer whose status was 200.
CallFailure classify_openai_error(const json::value& error, const AnswerEnd& end);

}  // namespace perdure
