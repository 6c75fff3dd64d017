#include "model/aws_sigv4.h"

#include <fmt/core.h>

#include <map>

#include "base/hash.h"
#include "base/percent.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// 20150830T123600Z
std::string basic_time(int64_t unix_ms) {
  std::string text;
  for (const char c : to_rfc3339(unix_ms)) {
    if (c == '.') break;
    if (c != '-' && c != ':') text += c;
  }
  return text.ends_with('Z') ? text : text + 'Z';
}

// Without spaces at the ends, and with one for each run of them.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

struct SignedHeaders {
  std::string lines;  // "name:value\n", sorted
  std::string names;  // "a;b"
};

SignedHeaders canonical_headers(const HttpHeaders& sent, const HttpHeaders& added) {
  std::map<std::string, std::string> all;
  for (const HttpHeaders* part : {&sent, &added}) {
    for (const auto& [name, value] : *part) {
      const auto [at, is_new] = all.emplace(lower_case(name), trimmed(value));
      if (!is_new) at->second += "," + trimmed(value);
    }
  }
  SignedHeaders out;
  for (const auto& [name, value] : all) {
    out.lines += name + ":" + value + "\n";
    out.names += (out.names.empty() ? "" : ";") + name;
  }
  return out;
}

Sha256 signing_key(const std::string& secret, std::string_view date, std::string_view region,
                   std::string_view service) {
  Sha256 key = hmac_sha256("AWS4" + secret, date);
  key = hmac_sha256(key.view(), region);
  key = hmac_sha256(key.view(), service);
  return hmac_sha256(key.view(), "aws4_request");
}

}  // namespace

HttpHeaders sign_aws_v4(const AwsRequest& request, const AwsCredentials& credentials,
                        std::string_view region, std::string_view service, int64_t now_ms) {
  const std::string time = basic_time(now_ms);
  const std::string date = time.substr(0, 8);
  HttpHeaders added = {{"X-Amz-Date", time}};
  if (!credentials.session_token.empty()) {
    added.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  const SignedHeaders headers = canonical_headers(request.headers, added);
  // The path is encoded once more, on top of what is sent: every service but S3 wants it so.
  const std::string canonical =
      fmt::format("{}\n{}\n\n{}\n{}\n{}", request.method, percent_encode(request.path, "/"),
                  headers.lines, headers.names, to_hex(sha256(request.body).view()));
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", date, region, service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, scope, to_hex(sha256(canonical).view()));
  const Sha256 key = signing_key(credentials.secret_access_key, date, region, service);
  added.emplace_back("Authorization",
                     fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                 credentials.access_key_id, scope, headers.names,
                                 to_hex(hmac_sha256(key.view(), to_sign).view())));
  return added;
}

}  // namespace perdure
