#include "tool/http_tool.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json.h"
#include "tool/url_template.h"

namespace perdure {
namespace {

Status wrong(const HttpToolConfig& config, std::string_view member, std::string_view what) {
  return fail(Code::kInvalid, fmt::format("tools.{}.{}: {}", config.name, member, what));
}

bool is_pointer(std::string_view text) {
  return find_pointer(json::value(), text).has_value();
}

bool is_method(std::string_view method) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
}

Status check_contract(const HttpToolConfig& config) {
  const Contract& contract = config.contract;
  if (contract.effect != EffectClass::kIdempotent) return {};
  if (contract.horizon_ms <= contract.margin_ms) {
    return wrong(config, "horizon", "must be longer than its margin");
  }
  // A request that is sent at the last moment must have arrived before the key is forgotten.
  if (contract.margin_ms < config.timeouts.total_ms) {
    return wrong(config, "horizon", "its margin must be at least the total timeout of a request");
  }
  return {};
}

}  // namespace

Status check(const HttpToolConfig& config) {
  if (config.name.empty()) return fail(Code::kInvalid, "tools: a tool has no name");
  if (!is_method(config.method)) return wrong(config, "method", "is not one that is sent");
  if (const Status url = check_url_template(config.url); !url) {
    return wrong(config, "url", url.error().message);
  }
  if (config.key_in == KeyIn::kArgument &&
      (config.key_name.empty() || !is_pointer(config.key_name))) {
    return wrong(config, "key_in", "is not a JSON Pointer to a member");
  }
  for (const std::string& pointer : config.identity) {
    if (!is_pointer(pointer)) {
      return wrong(config, "identity", fmt::format("'{}' is not a JSON Pointer", pointer));
    }
  }
  for (const auto& [status, outcome] : config.definite) {
    if (status < 200 || status > 599) return wrong(config, "definite", "is not an HTTP status");
    if (outcome == Outcome::kNotSent) {
      return wrong(config, "definite", "an answer shows that the request was sent");
    }
  }
  return check_contract(config);
}

}  // namespace perdure
