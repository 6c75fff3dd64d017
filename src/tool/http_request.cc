#include "tool/http_request.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "tool/url_template.h"

namespace perdure {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return small(x) == small(y); });
}

bool carries_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

// RFC 6901, section 4.
std::string unescaped(std::string_view token) {
  std::string text;
  for (size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~' && i + 1 < token.size();
    text += escape ? (token[i + 1] == '1' ? '/' : '~') : token[i];
    if (escape) ++i;
  }
  return text;
}

// Puts `key` where `pointer` says; objects on the way are made. Whatever the model wrote there is
// gone.
Status put(json::object& args, std::string_view pointer, std::string_view key) {
  json::object* at = &args;
  while (true) {
    pointer.remove_prefix(1);
    const size_t slash = pointer.find('/');
    const std::string name = unescaped(pointer.substr(0, slash));
    if (slash == std::string_view::npos) {
      at->insert_or_assign(name, key);
      return {};
    }
    json::value& next = (*at)[name];
    if (next.is_null()) next.emplace_object();
    at = next.if_object();
    if (at == nullptr) {
      return fail(Code::kInvalid,
                  fmt::format("the argument '{}' must be an object: the key stands in it", name));
    }
    pointer.remove_prefix(slash);
  }
}

Status add_headers(const HttpToolConfig& config, const CallRequest& call, const Secrets& secrets,
                   HttpRequest& request) {
  auto& headers = request.headers;
  for (const auto& [name, value] : config.headers) {
    TRY_ASSIGN(std::string filled, secrets.fill(value));
    headers.emplace_back(name, std::move(filled));
  }
  const auto set = [&](std::string_view name, std::string value) {
    std::erase_if(headers, [&](const auto& header) { return same_name(header.first, name); });
    headers.emplace_back(name, std::move(value));
  };
  const auto set_default = [&](std::string_view name, const std::string& value) {
    const auto is = [&](const auto& header) { return same_name(header.first, name); };
    if (std::none_of(headers.begin(), headers.end(), is)) headers.emplace_back(name, value);
  };
  set_default("Accept", "application/json, text/*;q=0.9, */*;q=0.5");
  if (carries_body(config.method)) set_default("Content-Type", "application/json");
  if (config.key_in == KeyIn::kHeader) set(config.key_name, call.key);
  set("Perdure-Epoch", std::to_string(call.epoch));
  return {};
}

}  // namespace

Result<HttpRequest> make_request(const HttpToolConfig& config, const CallRequest& call,
                                 const Secrets& secrets) {
  const std::string_view text = call.send.args.view();
  TRY_ASSIGN(json::value parsed, parse_json(text, "arguments"));
  json::object* args = parsed.if_object();
  if (args == nullptr) return fail(Code::kInvalid, "arguments: expected an object");
  const bool key_in_args = config.key_in == KeyIn::kArgument;
  if (key_in_args) TRY_STATUS(put(*args, config.key_name, call.key));

  HttpRequest request;
  request.method = config.method;
  TRY_ASSIGN(ExpandedUrl expanded, expand_url(config.url, *args));
  if (carries_body(config.method)) {
    for (const std::string& name : expanded.used) args->erase(name);
    const bool changed = key_in_args || !expanded.used.empty();
    request.body = changed ? to_json(parsed) : std::string(text);
    request.url = std::move(expanded.url);
  } else {
    TRY_ASSIGN(request.url, with_query(expanded, *args));
  }
  TRY_STATUS(add_headers(config, call, secrets, request));
  request.timeouts = config.timeouts;
  request.max_response_bytes = config.max_output_bytes;
  request.allow_private = config.allow_private;
  request.not_after_ms = call.send.not_after_ms;
  request.tenant = call.tenant;
  return request;
}

}  // namespace perdure
