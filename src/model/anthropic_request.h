#pragma once
// A request in Anthropic's Messages format: https://docs.anthropic.com/en/api/messages
#include <string>

#include "journal/message.h"
#include "model/model_config.h"

namespace perdure {

inline constexpr std::string_view kAnthropicDialect = "anthropic";

// The body. Consecutive messages of one side are one message there; all results of a turn stand
// first in the user message that follows it. Raw items of this dialect are content blocks and go
// back byte by byte. With ModelConfig::prompt_cache, breakpoints stand on the last tool, the system
// text and the last two user messages: the place where the request before ended is one of them.
std::string encode_anthropic(const ModelRequest& request, const ModelConfig& config);

}  // namespace perdure
