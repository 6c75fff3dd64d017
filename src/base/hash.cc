#include "base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/assert.h"

namespace perdure {
namespace {

// Fetched once: an implicit fetch in OpenSSL 3 costs more than hashing a record.
const EVP_MD* sha256_method() {
  static const EVP_MD* method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

}  // namespace

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
  Sha256 digest;
  unsigned size = 0;
  HMAC(sha256_method(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(data.data()), data.size(), digest.bytes.data(),
       &size);
  return digest;
}

bool equal_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace perdure
