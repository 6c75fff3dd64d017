#pragma once
// What every chat API demands of a conversation (OpenAI chat completions, Anthropic messages,
// Gemini generateContent): the strictest of them for each rule.
#include <optional>
#include <string>
#include <vector>

#include "journal/message.h"

namespace perdure::test {

// The first rule that is broken, or nothing.
std::optional<std::string> broken_rule(const std::vector<Message>& messages);

}  // namespace perdure::test
