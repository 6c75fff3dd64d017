#include "model/openai_chat_codec.h"

#include "model/openai_chat_request.h"
#include "model/openai_chat_stream.h"
#include "model/openai_errors.h"

namespace perdure {
namespace {

constexpr std::string_view kOwnMembers[] = {"model",          "messages",   "tools",
                                            "stream",         "max_tokens", "max_completion_tokens",
                                            "stream_options", "n",          "functions"};

}  // namespace

std::span<const std::string_view> OpenAiChatCodec::own_members() const {
  return kOwnMembers;
}

WireRequest OpenAiChatCodec::encode(const ModelRequest& request, const ModelConfig& config) const {
  return {.path = "/chat/completions",
          .headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}},
          .body = encode_openai_chat(request, config)};
}

std::unique_ptr<AnswerReader> OpenAiChatCodec::reader(const ModelRequest&, const ModelConfig&,
                                                      ReaderEvents events) const {
  return std::make_unique<OpenAiChatStream>(std::move(events));
}

CallFailure OpenAiChatCodec::classify(int status, std::string_view body,
                                      const AnswerEnd& end) const {
  return classify_openai(status, body, end);
}

}  // namespace perdure
