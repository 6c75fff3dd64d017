#pragma once
// Google's Gemini API, and Vertex AI behind the same format:
// https://ai.google.dev/api/generate-content
#include "model/codec.h"

namespace perdure {

class GeminiCodec final : public Codec {
 public:
  std::string_view name() const override { return "gemini"; }
  std::string_view default_base_url() const override {
    return "https://generativelanguage.googleapis.com/v1beta";
  }
  std::span<const std::string_view> own_members() const override;
  WireRequest encode(const ModelRequest& request, const ModelConfig& config) const override;
  // An API key; for a project of Vertex AI (".../projects/..." in the URL) an access token.
  Status authorize(WireRequest& request, std::string_view url, std::string_view secret,
                   const ModelConfig& config, int64_t now_ms) const override;
  std::unique_ptr<AnswerReader> reader(const ModelRequest& request, const ModelConfig& config,
                                       ReaderEvents events) const override;
  CallFailure classify(int status, std::string_view body, const AnswerEnd& end) const override;
};

}  // namespace perdure
