#pragma once
// OpenAI's Chat Completions API, and every server with a compatible base URL.
#include "model/codec.h"

namespace perdure {

class OpenAiChatCodec final : public Codec {
 public:
  std::string_view name() const override { return "openai-chat"; }
  std::string_view default_base_url() const override { return "https://api.openai.com/v1"; }
  std::span<const std::string_view> own_members() const override;
  WireRequest encode(const ModelRequest& request, const ModelConfig& config) const override;
  std::unique_ptr<AnswerReader> reader(const ModelRequest& request, const ModelConfig& config,
                                       ReaderEvents events) const override;
  CallFailure classify(int status, std::string_view body, const AnswerEnd& end) const override;
};

}  // namespace perdure
