#include "model/model_config.h"

#include <algorithm>

#include "base/http_header.h"
#include "base/text.h"
#include "model/codec.h"

namespace perdure {
namespace {

// In the order of ModelConfig::Provider.
constexpr std::initializer_list<std::string_view> kDialects = {"openai-chat", "gemini", "bedrock",
                                                               "anthropic", "openai-responses"};
constexpr std::initializer_list<std::string_view> kProviders = {
    "openai-chat", "gemini", "bedrock", "anthropic", "openai-responses", "replay"};

void check_base_url(ObjectReader& in, ModelConfig& config) {
  std::string& url = config.base_url;
  while (url.ends_with('/')) url.pop_back();
  const bool plain = url.starts_with("http://");
  const size_t scheme = plain ? 7 : 8;
  if (!plain && !url.starts_with("https://")) {
    in.fail_at("base_url", "expected a URL that begins with https:// or http://");
  } else if (url.size() == scheme || url.find_first_of("@?# \t\r\n", scheme) != std::string::npos) {
    in.fail_at("base_url",
               "expected scheme, host and path only, e.g. \"https://api.openai.com/v1\"");
  } else if (plain && !codec_of(config.provider).secret_references(config).empty() &&
             !config.allow_private) {
    in.fail_at("base_url",
               "a key is sent over https only; for a server on your own network set "
               "allow_private = true");
  }
}

void check_key(ObjectReader& in, std::string_view name, const std::string& key) {
  if (key.empty()) return;
  const bool reference =
      (key.starts_with("env:") && key.size() > 4) || (key.starts_with("file:") && key.size() > 5);
  if (!reference) {
    in.fail_at(name, "expected \"env:NAME\" or \"file:PATH\"; the key itself does not belong here");
  }
}

Status read_aws(ObjectReader& in, ModelConfig& config) {
  const json::value* table = in.value("aws");
  if (table == nullptr) {
    if (!config.replay) in.fail_at("aws", "is missing: name the region at least");
    return {};
  }
  ObjectReader aws(*table, in.where() + ".aws");
  config.aws.region = aws.string("region");
  for (const char c : config.aws.region) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (!fits) aws.fail_at("region", "expected the name of a region, e.g. \"us-east-1\"");
  }
  config.aws.access_key_id = aws.string("access_key_id", "");
  config.aws.secret_access_key = aws.string("secret_access_key", "");
  config.aws.session_token = aws.string("session_token", "");
  check_key(aws, "access_key_id", config.aws.access_key_id);
  check_key(aws, "secret_access_key", config.aws.secret_access_key);
  check_key(aws, "session_token", config.aws.session_token);
  if (config.aws.access_key_id.empty() != config.aws.secret_access_key.empty()) {
    aws.fail_at("access_key_id", "goes with secret_access_key");
  }
  if (config.aws.access_key_id.empty() && !config.aws.session_token.empty()) {
    aws.fail_at("session_token", "goes with access_key_id and secret_access_key");
  }
  if (!config.key.empty() && !config.aws.access_key_id.empty()) {
    aws.fail_at("access_key_id", "goes without `key` of the model");
  }
  return aws.finish();
}

Status read_price(ObjectReader& in, ModelPrice& price) {
  const json::value* table = in.value("price_per_mtok");
  if (table == nullptr) return {};
  TRY_ASSIGN(price, parse_price(*table, in.where() + ".price_per_mtok"));
  return {};
}

Status read_timeouts(ObjectReader& in, HttpTimeouts& timeouts) {
  const json::value* table = in.value("timeouts");
  if (table == nullptr) return {};
  ObjectReader times(*table, in.where() + ".timeouts");
  timeouts.connect_ms = times.duration_ms("connect", timeouts.connect_ms);
  timeouts.first_byte_ms = times.duration_ms("first_byte", timeouts.first_byte_ms);
  timeouts.gap_ms = times.duration_ms("gap", timeouts.gap_ms);
  timeouts.total_ms = times.duration_ms("total", timeouts.total_ms);
  return times.finish();
}

Status read_retry(ObjectReader& in, ModelConfig& config) {
  const json::value* table = in.value("retry");
  if (table == nullptr) return {};
  ObjectReader retry(*table, in.where() + ".retry");
  config.max_attempts =
      static_cast<uint32_t>(retry.integer("max_attempts", 1, 1000, config.max_attempts));
  config.backoff_ms = retry.duration_ms("backoff", config.backoff_ms);
  config.backoff_max_ms = retry.duration_ms("backoff_max", config.backoff_max_ms);
  if (config.backoff_max_ms < config.backoff_ms) {
    retry.fail_at("backoff_max", "is smaller than backoff");
  }
  return retry.finish();
}

// "a.b" is b of the object a.
bool has_member(const json::object& object, std::string_view path) {
  const size_t dot = path.find('.');
  const json::value* value = object.if_contains(path.substr(0, dot));
  if (value == nullptr || dot == std::string_view::npos) return value != nullptr;
  return value->is_object() && has_member(value->get_object(), path.substr(dot + 1));
}

void read_extra(ObjectReader& in, ModelConfig& config) {
  const json::object* extra = in.object("extra");
  if (extra == nullptr || extra->empty()) return;
  for (const std::string_view own : codec_of(config.provider).own_members()) {
    if (has_member(*extra, own)) {
      in.fail_at("extra", "'" + std::string(own) + "' is written by the server itself");
    }
  }
  config.extra = to_canonical_json(*extra);
}

// Written by the codecs, or secrets, which have their own place.
constexpr std::string_view kOwnHeaders[] = {"accept", "authorization", "content-type",
                                            "cookie", "x-api-key",     "x-goog-api-key"};

void read_headers(ObjectReader& in, ModelConfig& config) {
  const json::object* headers = in.object("headers");
  if (headers == nullptr) return;
  for (const auto& member : *headers) {
    const std::string name(member.key());
    const json::string* value = member.value().if_string();
    if (value == nullptr || !check_http_header(name, *value)) {
      in.fail_at("headers", "'" + name + "' is not a header that may be sent, with a text");
    }
    for (const std::string_view own : kOwnHeaders) {
      if (lower_case(name) == own) {
        in.fail_at("headers", "'" + name + "' is written by the server itself");
      }
    }
    if (in.ok()) config.headers.emplace_back(name, *value);
  }
}

void read_provider(ObjectReader& in, ModelConfig& config) {
  if (!in.has("provider")) in.fail_at("provider", "is missing");
  const size_t provider = in.choice("provider", kProviders, 0);
  config.replay = provider == kDialects.size();
  if (!config.replay) {
    config.provider = static_cast<ModelConfig::Provider>(provider);
  } else {
    config.provider = static_cast<ModelConfig::Provider>(in.choice("dialect", kDialects, 0));
  }
}

std::string known_base_url(const ModelConfig& config) {
  constexpr std::string_view kRegion = "{region}";
  std::string url(codec_of(config.provider).default_base_url());
  const size_t at = url.find(kRegion);
  if (at != std::string::npos) url.replace(at, kRegion.size(), config.aws.region);
  return url;
}

}  // namespace

Result<ModelPrice> parse_price(const json::value& table, std::string where) {
  ObjectReader in(table, std::move(where));
  ModelPrice price;
  const auto read = [&](std::string_view name) {
    return micro_usd(in.number(name, 0, kPriceMaxUsdPerMtok, 0));
  };
  price.input_per_mtok = read("input");
  price.output_per_mtok = read("output");
  if (in.has("cached_input")) price.cached_input_per_mtok = read("cached_input");
  if (in.has("cache_write")) price.cache_write_per_mtok = read("cache_write");
  TRY_STATUS(in.finish());
  return price;
}

int64_t output_tokens_max(const ModelRequest& request, const ModelConfig& config) {
  if (request.max_output_tokens <= 0) return config.max_output_tokens;
  return std::min(request.max_output_tokens, config.max_output_tokens);
}

Result<ModelConfig> parse_model_config(std::string name, const json::value& table) {
  ModelConfig config;
  ObjectReader in(table, "models." + name);
  config.name = std::move(name);
  read_provider(in, config);
  config.model = in.string("model");
  if (in.ok() && config.model.empty()) in.fail_at("model", "is empty");
  config.key = in.string("key", "");
  if (config.provider == ModelConfig::Provider::kBedrock) TRY_STATUS(read_aws(in, config));
  config.base_url = in.string("base_url", known_base_url(config));
  if (in.ok() && !config.replay && config.base_url.empty()) in.fail_at("base_url", "is missing");
  config.allow_private = in.boolean("allow_private", false);
  config.max_output_tokens =
      in.integer("max_output_tokens", 1, 10'000'000, config.max_output_tokens);
  config.max_tokens_member = static_cast<ModelConfig::MaxTokensMember>(
      in.choice("max_tokens_member", {"max_completion_tokens", "max_tokens"}, 0));
  TRY_STATUS(read_price(in, config.price));
  TRY_STATUS(read_timeouts(in, config.timeouts));
  TRY_STATUS(read_retry(in, config));
  read_extra(in, config);
  read_headers(in, config);
  if (config.provider == ModelConfig::Provider::kAnthropic) {
    config.prompt_cache = in.boolean("prompt_cache", true);
  }
  if (config.provider == ModelConfig::Provider::kOpenAiResponses) {
    config.background = in.boolean("background", false);
  }
  config.record_to = in.string("record_to", "");
  config.recording = config.replay ? in.string("recording") : in.string("recording", "");
  check_key(in, "key", config.key);
  if (in.ok() && !config.replay) check_base_url(in, config);
  TRY_STATUS(in.finish());
  return config;
}

}  // namespace perdure
