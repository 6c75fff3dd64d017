#pragma once
// What an answer of Bedrock means when it is no answer of a model. Exceptions are named alike in a
// header (`x-amzn-errortype`) and inside a stream.
#include <string_view>

#include "model/aws_event_stream.h"
#include "model/codec.h"

namespace perdure {

// See Codec::classify.
CallFailure classify_bedrock(int status, std::string_view body, const AnswerEnd& end);

// An exception or an error in the stream of an answer.
CallFailure classify_bedrock_event(const AwsEvent& event, const AnswerEnd& end);

}  // namespace perdure
