#include "api/key_ring.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

namespace perdure::api {
namespace {

constexpr const char* kKind = "key";
constexpr size_t kPageRows = 1000;
constexpr int kRandomWords = 4;

Result<Key> read(const KeptRow& row) {
  const std::string where = fmt::format("the stored key '{}'", row.name);
  TRY_ASSIGN(const json::value value, parse_json(row.value, where));
  ObjectReader in(value, where);
  Credential credential;
  credential.tenant = row.tenant;
  credential.principal = in.string("name");
  credential.scopes = static_cast<Scopes>(in.integer("scopes", 1, kAnyScope));
  credential.expires_ms = in.integer("expires_ms", 0, INT64_MAX);
  Key key{row.name, nullptr, in.integer("created_ms", 0, INT64_MAX), in.string("created_by")};
  const auto hash = parse_sha256(in.string("sha256"));
  TRY_STATUS(in.finish());
  if (!hash) return fail(Code::kCorrupt, where + ": its hash is damaged");
  credential.token_hash = *hash;
  key.credential = std::make_shared<const Credential>(std::move(credential));
  return key;
}

}  // namespace

std::string new_token(Rng& rng) {
  std::string bytes;
  for (int i = 0; i < kRandomWords; ++i) {
    const uint64_t word = rng.next();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return "perdure_" + to_base32(bytes);
}

std::string new_key_id(int64_t now_ms, Rng& rng) {
  const uint64_t high = rng.next();
  const uint64_t low = rng.next();
  const Uuid id = new_uuid(now_ms, high, low);
  return "key_" + to_base32({reinterpret_cast<const char*>(id.data()), id.size()});
}

Result<std::vector<Key>> load_keys(StoreReader& store) {
  std::vector<Key> keys;
  std::optional<KeptRow> last;
  for (;;) {
    TRY_ASSIGN(std::vector<KeptRow> rows, store.kept(kKind, last, kPageRows));
    for (const KeptRow& row : rows) {
      auto key = row.damaged ? fail(Code::kCorrupt, "its row is not what was written") : read(row);
      if (key) {
        keys.push_back(std::move(*key));
      } else {
        // Good for no request; the others stay good.
        log(LogLevel::kError, "key.damaged",
            {{"tenant", row.tenant}, {"key", row.name}, {"why", key.error().message}});
      }
    }
    if (rows.size() < kPageRows) return keys;
    last = std::move(rows.back());
  }
}

KeptRow row_of(const Key& key) {
  const Credential& credential = *key.credential;
  return {kKind, credential.tenant, key.id,
          to_canonical_json(json::object{{"name", credential.principal},
                                         {"scopes", credential.scopes},
                                         {"expires_ms", credential.expires_ms},
                                         {"created_ms", key.created_ms},
                                         {"created_by", key.created_by},
                                         {"sha256", to_hex(credential.token_hash.view())}})};
}

KeptRow removal_of(const Key& key) {
  return {kKind, key.credential->tenant, key.id, ""};
}

KeyRing::KeyRing(std::vector<Key> keys) {
  for (Key& key : keys) add(std::move(key));
}

KeyRing::Name KeyRing::name_of(const Key& key) {
  return {key.credential->tenant, key.credential->principal};
}

std::shared_ptr<const Credential> KeyRing::find(const Sha256& token_hash) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(token_hash);
  return found == by_hash_.end() ? nullptr : found->second;
}

std::optional<Key> KeyRing::find_id(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return found->second;
}

std::vector<Key> KeyRing::list(const std::string& tenant, const std::string& after,
                               size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<Key> out;
  for (auto key = by_id_.upper_bound(after); key != by_id_.end() && out.size() < limit; ++key) {
    if (tenant.empty() || key->second.credential->tenant == tenant) out.push_back(key->second);
  }
  return out;
}

Status KeyRing::reserve(const Key& key) {
  const std::lock_guard lock(mutex_);
  const std::string& tenant = key.credential->tenant;
  if (names_.contains(name_of(key))) {
    return fail(Code::kConflict,
                fmt::format("there is a key '{}': remove it, or choose another name",
                            key.credential->principal));
  }
  if (!shares_.take(tenant)) {
    return fail(
        Code::kExhausted,
        fmt::format("tenant '{}' has as many keys as one tenant may have while {} of {} are "
                    "kept: remove some that are not used",
                    tenant, shares_.used(), kKeysMax));
  }
  names_.insert(name_of(key));
  return {};
}

void KeyRing::release(const Key& key) {
  const std::lock_guard lock(mutex_);
  forget_name(key);
}

void KeyRing::forget_name(const Key& key) {
  if (names_.erase(name_of(key)) > 0) shares_.give_back(key.credential->tenant);
}

void KeyRing::add(Key key) {
  const std::lock_guard lock(mutex_);
  if (names_.insert(name_of(key)).second) shares_.add(key.credential->tenant);
  by_hash_[key.credential->token_hash] = key.credential;
  std::string id = key.id;
  by_id_.insert_or_assign(std::move(id), std::move(key));
}

void KeyRing::remove(const Key& key) {
  const std::lock_guard lock(mutex_);
  forget_name(key);
  by_hash_.erase(key.credential->token_hash);
  by_id_.erase(key.id);
}

}  // namespace perdure::api
