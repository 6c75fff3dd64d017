#pragma once
// A request in OpenAI's Chat Completions format:
// https://platform.openai.com/docs/api-reference/chat/create
#include <string>

#include "journal/message.h"
#include "model/model_config.h"

namespace perdure {

// The body. Arguments of tool calls and input schemas are kept byte by byte (schemas must be JSON).
// Text that is not UTF-8 is sent with U+FFFD in the place of each bad byte. `is_error` of a tool
// message has no place on this wire: its text must say so.
std::string encode_openai_chat(const ModelRequest& request, const ModelConfig& config);

}  // namespace perdure
