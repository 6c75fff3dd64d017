#pragma once
// Time and randomness: given by the world, so that a simulator can own both.
#include <cstdint>

namespace perdure {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t unix_ms() = 0;       // wall time; may jump
  virtual int64_t monotonic_us() = 0;  // never goes back; its origin means nothing
};

class Rng {
 public:
  virtual ~Rng() = default;
  virtual uint64_t next() = 0;  // 64 bits, unpredictable outside of simulation. Thread-safe.
};

}  // namespace perdure
