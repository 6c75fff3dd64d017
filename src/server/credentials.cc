#include "server/credentials.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "server/token_file.h"

namespace perdure::server {
namespace {

constexpr size_t kTokenMinBytes = 16;

Result<api::Scopes> scopes_of(const TokenConfig& token) {
  api::Scopes scopes = api::kNone;
  for (const std::string& name : token.scopes) {
    const api::Scopes scope = api::scope_of(name);
    if (scope == api::kNone) {
      return fail(Code::kInvalid, fmt::format("tokens.{}.scopes: '{}' is none of {}", token.name,
                                              name, api::all_scope_names()));
    }
    scopes |= scope;
  }
  return scopes;
}

// A token says who speaks: it is no word that can be guessed, and nobody else's.
Status check_token(const std::string& name, const std::string& value,
                   const std::vector<api::Credential>& others) {
  if (value.size() < kTokenMinBytes) {
    return fail(Code::kInvalid, fmt::format("tokens.{}: the token has {} bytes; {} random ones or "
                                            "more are needed",
                                            name, value.size(), kTokenMinBytes));
  }
  const Sha256 hash = sha256(value);
  const auto same = std::find_if(others.begin(), others.end(),
                                 [&](const auto& other) { return other.token_hash == hash; });
  if (same == others.end()) return {};
  return fail(Code::kInvalid,
              fmt::format("tokens.{}: '{}' has the same token", name, same->principal));
}

}  // namespace

Result<std::vector<api::Credential>> credentials_of(const Config& config, Rng& rng) {
  TRY_ASSIGN(const std::string token, own_token(config.data_dir, rng));
  std::vector<api::Credential> credentials{
      {sha256(token), "operator", "default", api::kAnyScope, 0, true}};
  for (const TokenConfig& other : config.tokens) {
    TRY_ASSIGN(const std::string value, read_secret(other.source));
    TRY_ASSIGN(const api::Scopes scopes, scopes_of(other));
    TRY_STATUS(check_token(other.name, value, credentials));
    credentials.push_back({sha256(value), other.name, other.tenant, scopes, 0, false});
  }
  return credentials;
}

Status check_secrets(const Secrets& secrets, const std::vector<api::Credential>& credentials,
                     const std::vector<api::Key>& keys) {
  constexpr api::Scopes kDecides = api::kApprove | api::kAdmin;
  std::map<Sha256, std::string> deciding;
  for (const api::Credential& credential : credentials) {
    if ((credential.scopes & kDecides) != 0) deciding[credential.token_hash] = credential.principal;
  }
  for (const api::Key& key : keys) {
    const api::Credential& credential = *key.credential;
    if ((credential.scopes & kDecides) != 0) deciding[credential.token_hash] = credential.principal;
  }
  for (const auto& [name, value] : secrets.values()) {
    const auto found = deciding.find(sha256(value));
    if (found == deciding.end()) continue;
    return fail(Code::kForbidden,
                fmt::format("secrets.{}: is the token of '{}', which has the scope approve or "
                            "admin: a tool that can send it could approve its own calls",
                            name, found->second));
  }
  return {};
}

}  // namespace perdure::server
