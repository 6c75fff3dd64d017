#include "base/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"

namespace perdure {
namespace {

// Fetched once: an implicit fetch in OpenSSL 3 costs more than hashing a record.
const EVP_MD* sha256_method() {
  static const EVP_MD* method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

// Fetched and set up once a thread, for the same reason.
class Hmac {
 public:
  Hmac() {
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    const bool ok = context_ != nullptr && EVP_MAC_CTX_set_params(context_, params) == 1;
    PERDURE_ASSERT(ok, "HMAC-SHA-256 is available");
  }
  ~Hmac() {
    EVP_MAC_CTX_free(context_);
    EVP_MAC_free(method_);
  }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;

  Sha256 of(std::string_view key, std::string_view data) {
    Sha256 digest;
    size_t size = 0;
    const bool ok = EVP_MAC_init(context_, bytes_of(key), key.size(), nullptr) == 1 &&
                    EVP_MAC_update(context_, bytes_of(data), data.size()) == 1 &&
                    EVP_MAC_final(context_, digest.bytes.data(), &size, digest.bytes.size()) == 1;
    PERDURE_ASSERT(ok && size == digest.bytes.size(), "an HMAC is made");
    return digest;
  }

 private:
  static const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }

  EVP_MAC* method_ = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* context_ = EVP_MAC_CTX_new(method_);
};

}  // namespace

std::optional<Sha256> parse_sha256(std::string_view hex) {
  const auto bytes = from_hex(hex);
  Sha256 hash;
  if (!bytes || bytes->size() != hash.bytes.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), hash.bytes.begin());
  return hash;
}

struct Hasher::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
  void start() {
    const bool ok = EVP_DigestInit_ex(evp, sha256_method(), nullptr) == 1;
    PERDURE_ASSERT(ok, "SHA-256 is available");
  }
};

Hasher::Hasher() : context_(std::make_unique<Context>()) {
  context_->start();
}
Hasher::~Hasher() = default;

Hasher& Hasher::add(std::string_view piece) {
  EVP_DigestUpdate(context_->evp, piece.data(), piece.size());
  return *this;
}

Sha256 Hasher::finish() {
  Sha256 digest;
  unsigned size = 0;
  EVP_DigestFinal_ex(context_->evp, digest.bytes.data(), &size);
  context_->start();
  return digest;
}

Sha256 sha256(std::string_view data) {
  thread_local Hasher hasher;
  return hasher.add(data).finish();
}

Sha256 hmac_sha256(std::string_view key, std::string_view data) {
  thread_local Hmac hmac;
  return hmac.of(key, data);
}

bool equal_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace perdure
