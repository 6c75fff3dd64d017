#pragma once
// Who may ask: credentials and their scopes, and the names under which this server may be asked.
// docs/guarantees.md, "Who may do what". Thread-safe.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"
#include "base/hash.h"

namespace perdure::api {

using Scopes = uint8_t;
inline constexpr Scopes kNone = 0;
inline constexpr Scopes kRun = 1;      // start tasks, see them, cancel them
inline constexpr Scopes kApprove = 2;  // decide what people are asked
inline constexpr Scopes kAdmin = 4;    // look at the server itself
inline constexpr Scopes kPlan = 8;     // answer turns as a planner: nothing else
inline constexpr Scopes kAgents = 16;  // put agents, which only name what the operator configured
inline constexpr Scopes kAnyScope = kRun | kApprove | kAdmin | kPlan | kAgents;

struct Credential {
  Sha256 token_hash;  // sha256 of the token: the token itself is not kept
  std::string principal;
  std::string tenant;
  Scopes scopes = kNone;
  int64_t expires_ms = 0;     // from then on it is none; 0: never
  bool every_tenant = false;  // the operator's own: makes keys for all, accepts tools
};
using Who = std::shared_ptr<const Credential>;

class KeyRing;
struct Key;

class Access {
 public:
  // `hosts`: names beside the loopback ones, with or without a port. `origins`: exact, as browsers
  // send them. Both in lower case.
  Access(std::vector<Credential> credentials, std::vector<Key> keys, std::vector<std::string> hosts,
         std::vector<std::string> origins);
  ~Access();

  // Null if the header is not that of a credential that is good now. Found by the token's hash, so
  // the time it takes says nothing about a token.
  Who authenticate(const Request& request, int64_t now_ms) const;
  // What was good before may have been removed, or have expired.
  bool is_good(const Credential& credential, int64_t now_ms) const;
  // The operator's configuration has one of this tenant and name.
  bool is_configured(const Credential& credential) const;
  KeyRing& keys() { return *keys_; }
  // Against DNS rebinding: a page of another site reaches this port under its own name.
  bool is_host_allowed(const Request& request) const;
  bool is_origin_allowed(const Request& request) const;

 private:
  Who find(const Sha256& token_hash, int64_t now_ms) const;

  std::map<Sha256, Who> configured_;
  std::unique_ptr<KeyRing> keys_;
  std::set<std::string, std::less<>> hosts_;
  std::set<std::string, std::less<>> origins_;
};

// kNone: there is no scope of that name.
Scopes scope_of(std::string_view name);
std::string_view all_scope_names();  // "run, approve, ..."
std::vector<std::string_view> names_of(Scopes scopes);
std::string scope_names(Scopes scopes);  // "run or approve"

}  // namespace perdure::api
