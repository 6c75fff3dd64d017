#pragma once
// Who may ask: credentials and their scopes, and the names under which this server may be asked.
// docs/guarantees.md, "Who may do what". Thread-safe: it never changes.
#include <cstdint>
#include <map>
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
};

class Access {
 public:
  // `hosts`: names beside the loopback ones, with or without a port. `origins`: exact, as browsers
  // send them. Both in lower case.
  Access(std::vector<Credential> credentials, std::vector<std::string> hosts,
         std::vector<std::string> origins);

  // Null if the header is not that of a known credential. Found by the token's hash, so the time it
  // takes says nothing about a token.
  const Credential* authenticate(const Request& request) const;
  // Against DNS rebinding: a page of another site reaches this port under its own name.
  bool is_host_allowed(const Request& request) const;
  bool is_origin_allowed(const Request& request) const;

 private:
  std::map<Sha256, Credential> credentials_;
  std::set<std::string, std::less<>> hosts_;
  std::set<std::string, std::less<>> origins_;
};

// kNone: there is no scope of that name.
Scopes scope_of(std::string_view name);
std::string_view all_scope_names();      // "run, approve, ..."
std::string scope_names(Scopes scopes);  // "run or approve"

}  // namespace perdure::api
