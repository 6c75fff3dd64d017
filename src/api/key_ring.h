#pragma once
// Credentials that clients made over the API. Only the hash of a secret is kept. Thread-safe.
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/access.h"
#include "base/shares.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace perdure::api {

struct Key {
  std::string id;  // rising with the time at which it was made
  std::shared_ptr<const Credential> credential;
  int64_t created_ms = 0;
  std::string created_by;
};

// 256 random bits, as clients send them.
std::string new_token(Rng& rng);
std::string new_key_id(int64_t now_ms, Rng& rng);

Result<std::vector<Key>> load_keys(StoreReader& store);
KeptRow row_of(const Key& key);
KeptRow removal_of(const Key& key);

class KeyRing {
 public:
  static constexpr size_t kKeysMax = 10'000;

  explicit KeyRing(std::vector<Key> keys);

  // Null if no key has this secret now.
  std::shared_ptr<const Credential> find(const Sha256& token_hash) const;
  std::optional<Key> find_id(const std::string& id) const;
  // In order of their ids, behind `after`; of all tenants, if `tenant` is empty.
  std::vector<Key> list(const std::string& tenant, const std::string& after, size_t limit) const;

  // The name is this key's until it is added, or released. kConflict, kExhausted.
  Status reserve(const Key& key);
  void release(const Key& key);
  void add(Key key);
  void remove(const Key& key);

 private:
  using Name = std::pair<std::string, std::string>;  // of a tenant's credential
  static Name name_of(const Key& key);
  void forget_name(const Key& key);

  mutable std::mutex mutex_;
  std::map<std::string, Key> by_id_;
  std::map<Sha256, std::shared_ptr<const Credential>> by_hash_;
  std::set<Name> names_;
  Shares shares_{kKeysMax};  // of the names
};

}  // namespace perdure::api
