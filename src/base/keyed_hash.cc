#include "base/keyed_hash.h"

#include <sys/random.h>

#include <cstring>

#include "base/assert.h"

namespace perdure {
namespace {

HashKey draw_key() {
  HashKey key;
  // So few bytes come whole, or not at all.
  PERDURE_ASSERT(getrandom(key.data(), sizeof key, 0) == sizeof key,
                 "the system gives random bytes");
  return key;
}

}  // namespace

static_assert(std::endian::native == std::endian::little, "SipHash reads little-endian words");

SipHash::SipHash(const HashKey& key)
    : a_(key[0] ^ 0x736f6d6570736575),
      b_(key[1] ^ 0x646f72616e646f6d),
      c_(key[0] ^ 0x6c7967656e657261),
      d_(key[1] ^ 0x7465646279746573) {}

void SipHash::add(std::string_view bytes) {
  for (; size_ % 8 != 0 && !bytes.empty(); bytes.remove_prefix(1)) add(bytes.front());
  for (; bytes.size() >= sizeof word_; bytes.remove_prefix(sizeof word_)) {
    std::memcpy(&word_, bytes.data(), sizeof word_);
    size_ += sizeof word_;
    take_word();
  }
  for (const char byte : bytes) add(byte);
}

uint64_t SipHash::finish() {
  word_ |= size_ << 56;
  take_word();
  c_ ^= 0xff;
  for (int i = 0; i < 3; ++i) round();
  return a_ ^ b_ ^ c_ ^ d_;
}

const HashKey& process_hash_key() {
  static const HashKey key = draw_key();
  return key;
}

}  // namespace perdure
