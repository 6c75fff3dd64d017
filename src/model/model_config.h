#pragma once
// What the operator says about one model: a table [models.<name>] of the configuration.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "journal/message.h"
#include "journal/price.h"
#include "journal/terms.h"
#include "ports/http_client.h"

namespace perdure {

struct ModelConfig {
  enum class Provider : uint8_t { kOpenAiChat, kGemini, kBedrock, kAnthropic, kOpenAiResponses };
  // Which member carries the limit of the answer: OpenAI wants the new one, many others know only
  // the old.
  enum class MaxTokensMember : uint8_t { kMaxCompletionTokens, kMaxTokens };

  std::string name;
  Provider provider = Provider::kOpenAiChat;  // a replay: whose dialect was recorded
  bool replay = false;
  std::string base_url;  // without a '/' at the end; the codec adds its path
  std::string model;     // the provider's name for it
  std::string key;       // "env:NAME" or "file:PATH"; empty: no credential is sent
  // Provider::kBedrock. References like `key`; without them the key is sent, as an API key.
  struct Aws {
    std::string region;
    std::string access_key_id;
    std::string secret_access_key;
    std::string session_token;  // empty: none
  } aws;
  // Always sent, so that what a call can cost is known before it is made.
  int64_t max_output_tokens = 8192;
  MaxTokensMember max_tokens_member = MaxTokensMember::kMaxCompletionTokens;
  ModelPrice price{.known = false};
  HttpTimeouts timeouts{.connect_ms = 10'000,
                        .first_byte_ms = 300'000,  // reasoning models are silent for minutes
                        .gap_ms = 120'000,
                        .total_ms = 1'800'000};
  // More members of the request, such as temperature: a JSON object in canonical form, or empty.
  std::string extra;
  // More headers, such as anthropic-beta; none of them a credential.
  std::vector<std::pair<std::string, std::string>> headers;
  bool background = false;   // kOpenAiResponses: the provider works on when the connection ends
  bool prompt_cache = true;  // for dialects that ask for it in the request
  bool allow_private = false;
  // About 7 minutes on the average: an outage of a provider ends no task.
  uint32_t max_attempts = 20;
  int64_t backoff_ms = 1000;
  int64_t backoff_max_ms = 60'000;
  std::string record_to;  // a file; every exchange is appended to it
  std::string recording;  // a replay: the file to answer from
};

// What a request carries as the limit of its answer: never more than the operator's.
int64_t output_tokens_max(const ModelRequest& request, const ModelConfig& config);

// {"input": USD, "output": USD, "cached_input"?, "cache_write"?}, per million tokens.
Result<ModelPrice> parse_price(const json::value& table, std::string where);

// `table` is the table as JSON. Errors begin with "models.<name>"; they never hold the value of
// `key`.
Result<ModelConfig> parse_model_config(std::string name, const json::value& table);

}  // namespace perdure
