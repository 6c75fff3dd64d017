#pragma once
// A request in OpenAI's Responses format: https://platform.openai.com/docs/api-reference/responses
#include <string>

#include "journal/message.h"
#include "model/model_config.h"

namespace perdure {

inline constexpr std::string_view kOpenAiResponsesDialect = "openai-responses";

// The body. Nothing is kept at the provider (`store` is false) but for a background response, which
// must be to be fetched; reasoning comes encrypted and goes back as raw items of this dialect.
std::string encode_openai_responses(const ModelRequest& request, const ModelConfig& config);

}  // namespace perdure
