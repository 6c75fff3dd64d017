#pragma once
// A request in the format of Gemini's generateContent.
#include <string>

#include "journal/message.h"
#include "model/model_config.h"

namespace perdure {

inline constexpr std::string_view kGeminiDialect = "gemini";

// The body. What Gemini said goes back as its own parts, each signature on the part it came with;
// what another provider said is rendered, with the word that Google names for a conversation that
// began elsewhere: https://ai.google.dev/gemini-api/docs/thought-signatures
std::string encode_gemini(const ModelRequest& request, const ModelConfig& config);

}  // namespace perdure
