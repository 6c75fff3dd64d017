#pragma once
// Every decision of a simulated world is drawn here, in order, from one stream of bytes that the
// seed determines. No distribution of the standard library: their results differ between builds.
#include <cstdint>
#include <vector>

#include "base/assert.h"

namespace perdure::sim {

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}

  // splitmix64, public domain: https://prng.di.unimi.it/splitmix64.c
  uint64_t bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // In [0, n). The bias of the remainder is below 2^-32 for the small n of a simulation.
  uint64_t below(uint64_t n) {
    PERDURE_ASSERT(n > 0, "something can be chosen");
    return bits() % n;
  }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  bool chance(uint32_t per_mille) { return below(1000) < per_mille; }
  // Small values often, large ones sometimes: each power of two between the ends is as likely.
  int64_t spread(int64_t low, int64_t high) {
    int64_t top = low > 0 ? low : 1;
    uint64_t doublings = 0;
    for (int64_t n = top; n < high; n *= 2) ++doublings;
    const uint64_t chosen = below(doublings + 1);
    for (uint64_t i = 0; i < chosen; ++i) top *= 2;
    return between(low, top < high ? top : high);
  }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  template <class T>
  T one_of(std::initializer_list<T> from) {
    return from.begin()[below(from.size())];
  }

 private:
  uint64_t state_;
};

}  // namespace perdure::sim
