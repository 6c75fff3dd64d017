#include "adapters/system/system_clock.h"

#include <sys/random.h>
#include <time.h>

#include <array>

#include "base/assert.h"

namespace perdure {
namespace {

timespec read(clockid_t clock) {
  timespec now{};
  const int failed = clock_gettime(clock, &now);
  PERDURE_ASSERT(failed == 0, "the kernel has this clock");
  return now;
}

}  // namespace

int64_t SystemClock::unix_ms() {
  const timespec now = read(CLOCK_REALTIME);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

int64_t SystemClock::monotonic_us() {
  const timespec now = read(CLOCK_BOOTTIME);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

uint64_t SystemRng::next() {
  // 256 bytes are given whole or not at all: getrandom(2).
  thread_local std::array<uint64_t, 32> block;
  thread_local size_t used = block.size();
  if (used == block.size()) {
    const ssize_t size = getrandom(block.data(), sizeof block, 0);
    PERDURE_ASSERT(size == static_cast<ssize_t>(sizeof block), "the kernel gives random bytes");
    used = 0;
  }
  const uint64_t value = block[used];
  block[used++] = 0;  // what was handed out cannot be read again
  return value;
}

}  // namespace perdure
