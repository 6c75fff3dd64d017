#include "adapters/system/disk_space.h"

#include <fmt/core.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "base/log.h"

namespace perdure {
namespace {

constexpr int64_t kAgainUs = 50'000;

}  // namespace

DiskSpace::DiskSpace(std::string dir, uint64_t reserve_bytes, Clock& clock, Measure measure)
    : dir_(std::move(dir)),
      clock_(clock),
      measure_(std::move(measure)),
      room_{std::numeric_limits<uint64_t>::max(), reserve_bytes, false} {}

Room DiskSpace::look() {
  const std::lock_guard lock(mutex_);
  const int64_t now_us = clock_.monotonic_us();
  if (now_us >= next_us_) {
    next_us_ = now_us + kAgainUs;
    this->measure();
  }
  return room_;
}

void DiskSpace::measure() {
  const auto found = measure_(dir_);
  if (!found) {
    log(LogLevel::kWarn, "disk.unmeasured", {{"why", found.error().message}});
    return;
  }
  room_.free_bytes = *found;
  // It ends a little above where it began, or it would begin again at once.
  const uint64_t enough = room_.reserve_bytes + (room_.low ? room_.reserve_bytes / 8 : 0);
  const bool low = *found < enough;
  if (low == room_.low) return;
  room_.low = low;
  log(low ? LogLevel::kError : LogLevel::kInfo, low ? "disk.low" : "disk.well",
      {{"dir", dir_},
       {"free_bytes", std::to_string(*found)},
       {"reserve_bytes", std::to_string(room_.reserve_bytes)},
       {"now", low ? "new work is refused; tasks that run go on" : "new work is taken again"}});
}

Result<uint64_t> DiskSpace::free_bytes_of(const std::string& dir) {
  struct statvfs found{};
  if (statvfs(dir.c_str(), &found) != 0) {
    return fail(Code::kUnavailable,
                fmt::format("cannot measure the disk of {}: {}", dir, std::strerror(errno)));
  }
  return uint64_t{found.f_bavail} * found.f_frsize;
}

}  // namespace perdure
