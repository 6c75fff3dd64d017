#pragma once
// Amazon Bedrock's ConverseStream:
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
#include "model/codec.h"

namespace perdure {

class BedrockCodec final : public Codec {
 public:
  std::string_view name() const override { return "bedrock"; }
  std::string_view default_base_url() const override {
    return "https://bedrock-runtime.{region}.amazonaws.com";
  }
  std::span<const std::string_view> own_members() const override;
  WireRequest encode(const ModelRequest& request, const ModelConfig& config) const override;
  // The pair, and the token of a session, of [models.NAME.aws]; else an API key of Bedrock.
  std::vector<std::string> secret_references(const ModelConfig& config) const override;
  Status authorize_with(WireRequest& request, std::string_view url,
                        std::span<const std::string> secrets, const ModelConfig& config,
                        int64_t now_ms) const override;
  std::unique_ptr<AnswerReader> reader(const ModelRequest& request, const ModelConfig& config,
                                       ReaderEvents events) const override;
  CallFailure classify(int status, std::string_view body, const AnswerEnd& end) const override;
};

}  // namespace perdure
