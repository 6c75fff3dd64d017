#include "model/bedrock_errors.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

using enum FailureClass;

struct Row {
  int status;
  std::string name;
  std::string message;
  FailureClass failure;
  Outcome outcome;
};

std::vector<Row> rows() {
  const Outcome failed = Outcome::kFailed;
  const Outcome doubt = Outcome::kInDoubt;
  const Outcome deferred = Outcome::kDeferred;
  return {
      {429, "ThrottlingException", "Too many tokens, please wait before trying again.", kRateLimit,
       deferred},
      {429, "ThrottlingException", "Too many tokens per day, please wait before trying again.",
       kQuota, failed},
      {429, "ModelNotReadyException", "", kTransient, doubt},
      {503, "ServiceUnavailableException", "Bedrock is unable to process your request.", kTransient,
       doubt},
      {500, "InternalServerException", "", kTransient, doubt},
      {408, "ModelTimeoutException", "", kTransient, doubt},
      {424, "ModelStreamErrorException", "", kTransient, doubt},
      {424, "ModelErrorException", "", kTransient, doubt},
      {400, "ValidationException", "Malformed input request", kInvalid, failed},
      {400, "ValidationException", "Input is too long for requested model.", kContextOverflow,
       failed},
      {400, "ValidationException", "The model returned: prompt is too long: 300000 tokens",
       kContextOverflow, failed},
      {400, "ServiceQuotaExceededException", "", kQuota, failed},
      {403, "AccessDeniedException", "You don't have access to the model", kAuth, failed},
      {403, "UnrecognizedClientException", "The security token is invalid.", kAuth, failed},
      {403, "InvalidSignatureException", "Signature expired", kAuth, failed},
      {403, "ExpiredTokenException", "", kAuth, failed},
      {404, "ResourceNotFoundException", "", kInvalid, failed},
      // What nobody listed goes by its status.
      {400, "BrandNewException", "", kInvalid, failed},
      {413, "", "", kTooLarge, failed},
      {424, "", "", kTransient, doubt},
      {429, "", "", kRateLimit, deferred},
      {500, "", "", kTransient, doubt},
  };
}

TEST(BedrockErrors, AnswersWithAStatus) {
  for (const Row& row : rows()) {
    const std::string what = std::to_string(row.status) + " " + row.name + " " + row.message;
    const std::string body = R"({"message":")" + row.message + R"("})";
    const HttpHeaders headers = {{"x-amzn-errortype", row.name + ":http://internal.amazon.com/"},
                                 {"x-amzn-requestid", "r-1"}};
    const CallFailure got = classify_bedrock(row.status, body, {.headers = headers});
    EXPECT_EQ(got.failure, row.failure) << what << ": " << to_string(got.failure);
    EXPECT_EQ(got.outcome, row.outcome) << what;
    EXPECT_NE(got.detail.find("(request id r-1)"), std::string::npos) << got.detail;
    // The name in the body alone, as behind some gateways.
    const HttpHeaders none;
    const std::string typed = R"({"__type":"com.amazon.coral.service#)" + row.name +
                              R"(","Message":")" + row.message + R"("})";
    EXPECT_EQ(classify_bedrock(row.status, typed, {.headers = none}).failure, row.failure) << what;
  }
}

TEST(BedrockErrors, InsideAStream) {
  const HttpHeaders none;
  const auto at = [&](std::string_view name, std::string_view message) {
    AwsEvent event{"exception", std::string(name), "",
                   R"({"message":")" + std::string(message) + R"("})"};
    return classify_bedrock_event(event, {.headers = none});
  };
  EXPECT_EQ(at("throttlingException", "slow").failure, kRateLimit);
  EXPECT_EQ(at("modelStreamErrorException", "").failure, kTransient);
  EXPECT_EQ(at("internalServerException", "").failure, kTransient);
  EXPECT_EQ(at("validationException", "Input is too long").failure, kContextOverflow);
  EXPECT_EQ(at("serviceUnavailableException", "").failure, kTransient);
  EXPECT_EQ(at("newException", "").failure, kTransient);
  EXPECT_EQ(at("throttlingException", "slow").detail,
            "error in the answer throttlingException: slow");
  const CallFailure error =
      classify_bedrock_event({"error", "InternalError", "it broke", ""}, {.headers = none});
  EXPECT_EQ(error.failure, kTransient);
  EXPECT_EQ(error.detail, "error in the answer InternalError: it broke");
}

TEST(BedrockErrors, WithoutABodyTheStatusTells) {
  const HttpHeaders none;
  EXPECT_EQ(classify_bedrock(403, "", {.headers = none}).failure, kAuth);
  EXPECT_EQ(classify_bedrock(500, "<xml/>", {.headers = none}).failure, kTransient);
}

}  // namespace
}  // namespace perdure
