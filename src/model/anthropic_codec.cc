#include "model/anthropic_codec.h"

#include "model/anthropic_errors.h"
#include "model/anthropic_request.h"
#include "model/anthropic_stream.h"

namespace perdure {
namespace {

constexpr std::string_view kVersion = "2023-06-01";
constexpr std::string_view kOwnMembers[] = {"model", "messages", "system",
                                            "tools", "stream",   "max_tokens"};

}  // namespace

std::string_view AnthropicCodec::name() const {
  return kAnthropicDialect;
}

std::span<const std::string_view> AnthropicCodec::own_members() const {
  return kOwnMembers;
}

WireRequest AnthropicCodec::encode(const ModelRequest& request, const ModelConfig& config) const {
  return {.path = "/v1/messages",
          .headers = {{"Content-Type", "application/json"},
                      {"Accept", "text/event-stream"},
                      {"anthropic-version", std::string(kVersion)}},
          .body = encode_anthropic(request, config)};
}

Status AnthropicCodec::authorize(WireRequest& request, std::string_view, std::string_view secret,
                                 const ModelConfig&, int64_t) const {
  request.headers.emplace_back("x-api-key", secret);
  return {};
}

std::unique_ptr<AnswerReader> AnthropicCodec::reader(const ModelRequest&, const ModelConfig&,
                                                     ReaderEvents events) const {
  return std::make_unique<AnthropicStream>(std::move(events));
}

CallFailure AnthropicCodec::classify(int status, std::string_view body,
                                     const AnswerEnd& end) const {
  return classify_anthropic(status, body, end);
}

}  // namespace perdure
