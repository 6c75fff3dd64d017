#include "api/access.h"

#include <algorithm>

#include "api/key_ring.h"
#include "base/text.h"

namespace perdure::api {
namespace {

struct NamedScope {
  Scopes scope;
  std::string_view name;
};
constexpr NamedScope kScopes[] = {
    {kRun, "run"}, {kApprove, "approve"}, {kAgents, "agents"}, {kPlan, "plan"}, {kAdmin, "admin"}};

// "host:port" and "[::1]:port" without their port.
std::string_view without_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon == std::string_view::npos) return host;
  const bool bracketed = host.starts_with('[');
  if (bracketed && host.find(']') > colon) return host;
  return host.substr(0, colon);
}

}  // namespace

Access::Access(std::vector<Credential> credentials, std::vector<Key> keys,
               std::vector<std::string> hosts, std::vector<std::string> origins)
    : keys_(std::make_unique<KeyRing>(std::move(keys))),
      hosts_(hosts.begin(), hosts.end()),
      origins_(origins.begin(), origins.end()) {
  hosts_.insert({"localhost", "127.0.0.1", "[::1]"});
  for (Credential& credential : credentials) {
    const Sha256 hash = credential.token_hash;
    configured_.insert_or_assign(hash, std::make_shared<const Credential>(std::move(credential)));
  }
}

Access::~Access() = default;

Who Access::find(const Sha256& token_hash, int64_t now_ms) const {
  const auto found = configured_.find(token_hash);
  Who who = found != configured_.end() ? found->second : keys_->find(token_hash);
  if (who == nullptr || !equal_secret(who->token_hash.view(), token_hash.view())) return nullptr;
  return who->expires_ms != 0 && who->expires_ms <= now_ms ? nullptr : who;
}

bool Access::is_good(const Credential& credential, int64_t now_ms) const {
  return find(credential.token_hash, now_ms) != nullptr;
}

bool Access::is_configured(const Credential& credential) const {
  return std::any_of(configured_.begin(), configured_.end(), [&](const auto& known) {
    return known.second->tenant == credential.tenant &&
           known.second->principal == credential.principal;
  });
}

Who Access::authenticate(const Request& request, int64_t now_ms) const {
  const auto header = request.header("authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (!header || header->size() <= kScheme.size()) return nullptr;
  if (lower_case(header->substr(0, kScheme.size())) != kScheme) return nullptr;
  return find(sha256(header->substr(kScheme.size())), now_ms);
}

bool Access::is_host_allowed(const Request& request) const {
  const auto header = request.header("host");
  if (!header) return false;
  const std::string host = lower_case(*header);
  return hosts_.contains(host) || hosts_.contains(without_port(host));
}

bool Access::is_origin_allowed(const Request& request) const {
  const auto header = request.header("origin");
  if (!header) return true;
  const std::string origin = lower_case(*header);
  if (origins_.contains(origin)) return true;
  // Our own page, under a name that we answer to (see is_host_allowed).
  const auto host = request.header("host");
  return host &&
         (origin == "http://" + lower_case(*host) || origin == "https://" + lower_case(*host));
}

Scopes scope_of(std::string_view name) {
  for (const NamedScope& known : kScopes) {
    if (known.name == name) return known.scope;
  }
  return kNone;
}

std::string_view all_scope_names() {
  return "run, approve, agents, plan, admin";
}

std::vector<std::string_view> names_of(Scopes scopes) {
  std::vector<std::string_view> names;
  for (const NamedScope& known : kScopes) {
    if ((scopes & known.scope) != 0) names.push_back(known.name);
  }
  return names;
}

std::string scope_names(Scopes scopes) {
  std::string text;
  for (const std::string_view name : names_of(scopes)) {
    if (!text.empty()) text += " or ";
    text += name;
  }
  return text;
}

}  // namespace perdure::api
