#pragma once
// A hash for tables whose keys others choose: SipHash-1-3 (Aumasson and Bernstein, 2012) under a
// key that is drawn once a process, so that nobody outside can make keys collide. Its values mean
// nothing to another process: never stored, never shown.
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace perdure {

using HashKey = std::array<uint64_t, 2>;

// In pieces, since not all keys stand in one.
class SipHash {
 public:
  explicit SipHash(const HashKey& key);

  void add(char byte) {
    word_ |= uint64_t{static_cast<unsigned char>(byte)} << (8 * (size_++ % 8));
    if (size_ % 8 == 0) take_word();
  }
  void add(std::string_view bytes);
  uint64_t finish();

 private:
  void take_word() {
    d_ ^= word_;
    round();
    a_ ^= word_;
    word_ = 0;
  }
  void round() {
    a_ += b_;
    b_ = std::rotl(b_, 13) ^ a_;
    a_ = std::rotl(a_, 32);
    c_ += d_;
    d_ = std::rotl(d_, 16) ^ c_;
    a_ += d_;
    d_ = std::rotl(d_, 21) ^ a_;
    c_ += b_;
    b_ = std::rotl(b_, 17) ^ c_;
    c_ = std::rotl(c_, 32);
  }

  uint64_t a_, b_, c_, d_;
  uint64_t word_ = 0;
  uint64_t size_ = 0;
};

// The key of this process. Any thread.
const HashKey& process_hash_key();

}  // namespace perdure
