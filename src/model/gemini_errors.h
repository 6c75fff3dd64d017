#pragma once
// What an answer of the Gemini API means when it is no answer of a model:
// https://ai.google.dev/gemini-api/docs/troubleshooting, and google.rpc.Status with its details.
#include <string_view>

#include "base/json.h"
#include "model/codec.h"

namespace perdure {

// See Codec::classify.
CallFailure classify_gemini(int status, std::string_view body, const AnswerEnd& end);

// {"error": {...}} that came inside a stream whose status was 200.
CallFailure classify_gemini_error(const json::object& object, const AnswerEnd& end);

}  // namespace perdure
