#include "api/access.h"

#include <algorithm>

namespace perdure::api {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  }
  return out;
}

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

Access::Access(std::vector<Credential> credentials, std::vector<std::string> hosts,
               std::vector<std::string> origins)
    : hosts_(hosts.begin(), hosts.end()), origins_(origins.begin(), origins.end()) {
  hosts_.insert({"localhost", "127.0.0.1", "[::1]"});
  for (Credential& credential : credentials) {
    const Sha256 hash = credential.token_hash;
    credentials_.insert_or_assign(hash, std::move(credential));
  }
}

const Credential* Access::authenticate(const Request& request) const {
  const auto header = request.header("authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (!header || header->size() <= kScheme.size()) return nullptr;
  if (lower(header->substr(0, kScheme.size())) != kScheme) return nullptr;
  const Sha256 hash = sha256(header->substr(kScheme.size()));
  const auto found = credentials_.find(hash);
  if (found == credentials_.end()) return nullptr;
  return equal_secret(found->first.view(), hash.view()) ? &found->second : nullptr;
}

bool Access::is_host_allowed(const Request& request) const {
  const auto header = request.header("host");
  if (!header) return false;
  const std::string host = lower(*header);
  return hosts_.contains(host) || hosts_.contains(without_port(host));
}

bool Access::is_origin_allowed(const Request& request) const {
  const auto header = request.header("origin");
  if (!header) return true;
  const std::string origin = lower(*header);
  if (origins_.contains(origin)) return true;
  // Our own page, under a name that we answer to (see is_host_allowed).
  const auto host = request.header("host");
  return host && (origin == "http://" + lower(*host) || origin == "https://" + lower(*host));
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

std::string scope_names(Scopes scopes) {
  std::string names;
  for (const NamedScope& known : kScopes) {
    if ((scopes & known.scope) == 0) continue;
    if (!names.empty()) names += " or ";
    names += known.name;
  }
  return names;
}

}  // namespace perdure::api
