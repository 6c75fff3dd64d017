#include "model/bedrock_codec.h"

#include <algorithm>

#include "base/percent.h"
#include "model/aws_sigv4.h"
#include "model/bedrock_errors.h"
#include "model/bedrock_request.h"
#include "model/bedrock_stream.h"

namespace perdure {
namespace {

constexpr std::string_view kOwnMembers[] = {"messages", "system", "toolConfig",
                                            "inferenceConfig.maxTokens"};

struct Target {
  std::string_view host, path;
};

// Of a URL that has a scheme.
Target target_of(std::string_view url) {
  const size_t host = url.find("://") + 3;
  const size_t path = std::min(url.find('/', host), url.size());
  return {url.substr(host, path - host), url.substr(path)};
}

}  // namespace

std::span<const std::string_view> BedrockCodec::own_members() const {
  return kOwnMembers;
}

WireRequest BedrockCodec::encode(const ModelRequest& request, const ModelConfig& config) const {
  return {.path = "/model/" + percent_encode(config.model) + "/converse-stream",
          .headers = {{"Content-Type", "application/json"},
                      {"Accept", "application/vnd.amazon.eventstream"}},
          .body = encode_bedrock(request, config)};
}

std::vector<std::string> BedrockCodec::secret_references(const ModelConfig& config) const {
  if (config.aws.access_key_id.empty()) return Codec::secret_references(config);
  std::vector<std::string> references{config.aws.access_key_id, config.aws.secret_access_key};
  if (!config.aws.session_token.empty()) references.push_back(config.aws.session_token);
  return references;
}

Status BedrockCodec::authorize_with(WireRequest& request, std::string_view url,
                                    std::span<const std::string> secrets, const ModelConfig& config,
                                    int64_t now_ms) const {
  if (secrets.size() < 2) return authorize(request, url, secrets.front(), config, now_ms);
  const AwsCredentials credentials{secrets[0], secrets[1], secrets.size() > 2 ? secrets[2] : ""};
  const auto [host, path] = target_of(url);
  AwsRequest to_sign{.method = request.method,
                     .path = std::string(path),
                     .headers = {{"Host", std::string(host)}},
                     .body = request.body};
  for (const auto& header : request.headers) {
    if (header.first == "Content-Type") to_sign.headers.push_back(header);
  }
  for (auto& header : sign_aws_v4(to_sign, credentials, config.aws.region, "bedrock", now_ms)) {
    request.headers.push_back(std::move(header));
  }
  return {};
}

std::unique_ptr<AnswerReader> BedrockCodec::reader(const ModelRequest&, const ModelConfig&,
                                                   ReaderEvents events) const {
  return std::make_unique<BedrockStream>(std::move(events));
}

CallFailure BedrockCodec::classify(int status, std::string_view body, const AnswerEnd& end) const {
  return classify_bedrock(status, body, end);
}

}  // namespace perdure
