#pragma once
// OpenAI's Responses API, and servers that imitate it.
#include "model/codec.h"
#include "model/openai_responses_request.h"

namespace perdure {

class OpenAiResponsesCodec final : public Codec {
 public:
  std::string_view name() const override { return kOpenAiResponsesDialect; }
  std::string_view default_base_url() const override { return "https://api.openai.com/v1"; }
  std::span<const std::string_view> own_members() const override;
  WireRequest encode(const ModelRequest& request, const ModelConfig& config) const override;
  Result<WireRequest> encode_fetch(std::string_view id, bool as_it_stands) const override;
  std::unique_ptr<AnswerReader> reader(const ModelRequest& request, const ModelConfig& config,
                                       ReaderEvents events) const override;
  CallFailure classify(int status, std::string_view body, const AnswerEnd& end) const override;
};

}  // namespace perdure
