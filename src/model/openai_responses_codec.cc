#include "model/openai_responses_codec.h"

#include <algorithm>

#include "model/openai_errors.h"
#include "model/openai_responses_stream.h"

namespace perdure {
namespace {

constexpr std::string_view kOwnMembers[] = {"model",
                                            "input",
                                            "tools",
                                            "stream",
                                            "background",
                                            "store",
                                            "include",
                                            "max_output_tokens",
                                            "previous_response_id",
                                            "conversation"};

}  // namespace

std::span<const std::string_view> OpenAiResponsesCodec::own_members() const {
  return kOwnMembers;
}

WireRequest OpenAiResponsesCodec::encode(const ModelRequest& request,
                                         const ModelConfig& config) const {
  return {.path = "/responses",
          .headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}},
          .body = encode_openai_responses(request, config)};
}

Result<WireRequest> OpenAiResponsesCodec::encode_fetch(std::string_view id,
                                                       bool as_it_stands) const {
  const bool plain = std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  if (id.empty() || !plain)
    return fail(Code::kInvalid, "the id of the response is none of OpenAI's");
  const std::string path = "/responses/" + std::string(id);
  if (as_it_stands) {
    return WireRequest{
        .method = "GET", .path = path, .headers = {{"Accept", "application/json"}}, .body = {}};
  }
  // A stream from its beginning: the connection waits for the end, and nobody polls.
  return WireRequest{.method = "GET",
                     .path = path + "?stream=true",
                     .headers = {{"Accept", "text/event-stream"}},
                     .body = {}};
}

std::unique_ptr<AnswerReader> OpenAiResponsesCodec::reader(const ModelRequest&,
                                                           const ModelConfig& config,
                                                           ReaderEvents events) const {
  if (!config.background) events.on_response_id = nullptr;
  return std::make_unique<OpenAiResponsesStream>(std::move(events));
}

CallFailure OpenAiResponsesCodec::classify(int status, std::string_view body,
                                           const AnswerEnd& end) const {
  return classify_openai(status, body, end);
}

}  // namespace perdure
