#include "model/gemini_codec.h"

#include "base/percent.h"
#include "model/gemini_errors.h"
#include "model/gemini_request.h"
#include "model/gemini_stream.h"

namespace perdure {
namespace {

constexpr std::string_view kOwnMembers[] = {"contents",
                                            "systemInstruction",
                                            "system_instruction",
                                            "tools",
                                            "generationConfig.maxOutputTokens",
                                            "generationConfig.candidateCount",
                                            "generation_config"};

}  // namespace

std::span<const std::string_view> GeminiCodec::own_members() const {
  return kOwnMembers;
}

WireRequest GeminiCodec::encode(const ModelRequest& request, const ModelConfig& config) const {
  return {
      .path = "/models/" + percent_encode(config.model, "/:@") + ":streamGenerateContent?alt=sse",
      .headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}},
      .body = encode_gemini(request, config)};
}

Status GeminiCodec::authorize(WireRequest& request, std::string_view url, std::string_view secret,
                              const ModelConfig& config, int64_t now_ms) const {
  if (url.find("/projects/") != std::string_view::npos) {
    return Codec::authorize(request, url, secret, config, now_ms);
  }
  request.headers.emplace_back("x-goog-api-key", secret);
  return {};
}

std::unique_ptr<AnswerReader> GeminiCodec::reader(const ModelRequest&, const ModelConfig&,
                                                  ReaderEvents events) const {
  return std::make_unique<GeminiStream>(std::move(events));
}

CallFailure GeminiCodec::classify(int status, std::string_view body, const AnswerEnd& end) const {
  return classify_gemini(status, body, end);
}

}  // namespace perdure
