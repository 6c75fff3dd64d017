#include "base/assert.h"
#include "model/anthropic_codec.h"
#include "model/bedrock_codec.h"
#include "model/gemini_codec.h"
#include "model/http_provider.h"
#include "model/openai_chat_codec.h"
#include "model/openai_responses_codec.h"
#include "model/replay_provider.h"

namespace perdure {

Result<WireRequest> Codec::encode_fetch(std::string_view, bool) const {
  return fail(Code::kUnsupported, "this provider keeps no answers to fetch");
}

Status Codec::authorize(WireRequest& request, std::string_view, std::string_view secret,
                        const ModelConfig&, int64_t) const {
  request.headers.emplace_back("Authorization", "Bearer " + std::string(secret));
  return {};
}

const Codec& codec_of(ModelConfig::Provider provider) {
  static const OpenAiChatCodec openai_chat;
  static const GeminiCodec gemini;
  static const BedrockCodec bedrock;
  static const AnthropicCodec anthropic;
  static const OpenAiResponsesCodec openai_responses;
  switch (provider) {
    case ModelConfig::Provider::kOpenAiChat:
      return openai_chat;
    case ModelConfig::Provider::kGemini:
      return gemini;
    case ModelConfig::Provider::kBedrock:
      return bedrock;
    case ModelConfig::Provider::kAnthropic:
      return anthropic;
    case ModelConfig::Provider::kOpenAiResponses:
      return openai_responses;
  }
  PERDURE_ASSERT(false, "every provider has a codec");
  return openai_chat;
}

Result<std::unique_ptr<Provider>> make_provider(const ModelConfig& config, HttpClient& http,
                                                Clock& clock, SecretSource secrets) {
  if (config.replay) {
    TRY_ASSIGN(auto exchanges, load_recording(config.recording));
    return std::make_unique<ReplayProvider>(config, std::move(exchanges));
  }
  std::shared_ptr<ExchangeRecorder> recorder;
  if (!config.record_to.empty()) {
    TRY_ASSIGN(recorder, ExchangeRecorder::open(config.record_to));
  }
  return std::make_unique<HttpProvider>(config, http, clock, std::move(secrets),
                                        std::move(recorder));
}

}  // namespace perdure
