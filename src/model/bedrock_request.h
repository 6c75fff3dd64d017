#pragma once
// A request in the format of Bedrock's Converse.
#include <string>

#include "journal/message.h"
#include "model/model_config.h"

namespace perdure {

inline constexpr std::string_view kBedrockDialect = "bedrock";

// The body. What a model said on Bedrock goes back as its own content blocks.
std::string encode_bedrock(const ModelRequest& request, const ModelConfig& config);

}  // namespace perdure
