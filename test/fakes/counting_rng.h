#pragma once
#include <atomic>

#include "ports/clock.h"

namespace perdure::test {

// The same numbers in every run, each once.
class CountingRng final : public Rng {
 public:
  uint64_t next() override { return ++count_ * 0x9E3779B97F4A7C15ull; }

 private:
  std::atomic<uint64_t> count_{0};
};

}  // namespace perdure::test
