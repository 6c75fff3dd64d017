#include "tool/mcp_server.h"

#include <fmt/core.h>

#include <algorithm>

namespace perdure {
namespace {

Status wrong(const McpServerConfig& config, std::string_view member, std::string_view what) {
  return fail(Code::kInvalid, fmt::format("mcp.{}.{}: {}", config.name, member, what));
}

bool is_server_name(std::string_view name) {
  return !name.empty() && name.size() <= 30 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

bool is_http(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

}  // namespace

Status check(const McpServerConfig& config) {
  if (!is_server_name(config.name)) {
    return fail(Code::kInvalid,
                fmt::format("mcp.{}: a name is 1 to 30 of letters, digits, '_', '-'; its tools are "
                            "called NAME.TOOL",
                            config.name));
  }
  if (config.command.empty() == config.url.empty()) {
    return wrong(config, "command", "name a command to start, or a url to ask, and not both");
  }
  if (!config.url.empty() && !is_http(config.url)) {
    return wrong(config, "url", "is neither http:// nor https://");
  }
  for (const auto& [key, value] : config.environment) {
    if (key.empty() || key.find('=') != std::string::npos) {
      return wrong(config, "env", "has a name that cannot be one");
    }
  }
  for (const McpContract& contract : config.contracts) {
    const Contract& says = contract.rules.contract;
    if (says.effect == EffectClass::kIdempotent && says.margin_ms < config.call_ms) {
      return wrong(config, "idempotent",
                   fmt::format("{}: the margin of its horizon must be at least the timeout of a "
                               "call ({} ms)",
                               contract.pattern, config.call_ms));
    }
    if (says.effect == EffectClass::kIdempotent && says.horizon_ms <= says.margin_ms) {
      return wrong(config, "idempotent",
                   contract.pattern + ": its horizon must be longer than its margin");
    }
  }
  return {};
}

}  // namespace perdure
