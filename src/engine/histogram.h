#pragma once
// How long things took, as counts below a few bounds. Any thread writes, any reads.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace perdure::engine {

class Histogram {
 public:
  // From a fast flush to a model that thinks for half an hour.
  static constexpr std::array<int64_t, 14> kBoundsUs = {
      1'000,     2'500,     10'000,     25'000,     100'000,     250'000,       1'000'000,
      2'500'000, 5'000'000, 15'000'000, 60'000'000, 300'000'000, 1'800'000'000, 7'200'000'000};

  void add(int64_t us) {
    if (us < 0) us = 0;
    size_t i = 0;
    while (i < kBoundsUs.size() && us > kBoundsUs[i]) ++i;
    ++counts_[i];
    sum_us_ += static_cast<uint64_t>(us);
  }
  // Not cumulative; the last one counts what lies above all bounds.
  uint64_t count(size_t i) const { return counts_[i]; }
  uint64_t sum_us() const { return sum_us_; }

 private:
  std::array<std::atomic<uint64_t>, kBoundsUs.size() + 1> counts_{};
  std::atomic<uint64_t> sum_us_{0};
};

}  // namespace perdure::engine
