#pragma once
// AWS Signature Version 4, in headers:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#include <cstdint>
#include <string>
#include <string_view>

#include "model/retry_hint.h"

namespace perdure {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty: none
};

struct AwsRequest {
  std::string method = "POST";
  std::string path = "/";  // as it is sent: encoded once, without dot segments and query
  HttpHeaders headers;     // to be signed: `host`, and what else must not be changed on the way
  std::string_view body;
};

// The headers to send besides those signed: X-Amz-Date, X-Amz-Security-Token and Authorization.
HttpHeaders sign_aws_v4(const AwsRequest& request, const AwsCredentials& credentials,
                        std::string_view region, std::string_view service, int64_t now_ms);

}  // namespace perdure
