#include "schema/meter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace {
std::atomic<uint64_t> sync_calls{0};
}

// The library's calls land here before libc's, so every sync of the process is counted exactly.
extern "C" int fdatasync(int fd) {
  sync_calls.fetch_add(1, std::memory_order_relaxed);
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

extern "C" int fsync(int fd) {
  sync_calls.fetch_add(1, std::memory_order_relaxed);
  return static_cast<int>(syscall(SYS_fsync, fd));
}

namespace perdure::bench {

namespace {
constexpr int64_t kPageBytes = 4096;
constexpr int64_t kProbePages = 4096;
constexpr uint64_t kSectorBytes = 512;
}  // namespace

void die(const std::string& what) {
  fmt::print(stderr, "{}: {}\n", program_invocation_short_name, what);
  std::exit(1);
}

double now_us() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

double quantile(std::vector<double> samples, double q) {
  if (samples.empty()) return 0;
  auto at = static_cast<size_t>(q * static_cast<double>(samples.size() - 1) + 0.5);
  auto nth = samples.begin() + static_cast<std::ptrdiff_t>(at);
  std::nth_element(samples.begin(), nth, samples.end());
  return *nth;
}

Usage& Usage::operator+=(const Usage& other) {
  device_bytes += other.device_bytes;
  device_flushes += other.device_flushes;
  process_syncs += other.process_syncs;
  return *this;
}

Usage Usage::operator-(const Usage& other) const {
  return {device_bytes - other.device_bytes, device_flushes - other.device_flushes,
          process_syncs - other.process_syncs};
}

Meter::Meter(const std::string& dir) {
  struct stat info{};
  if (stat(dir.c_str(), &info) != 0) die(fmt::format("{}: {}", dir, strerror(errno)));
  stat_path_ = fmt::format("/sys/dev/block/{}:{}/stat", major(info.st_dev), minor(info.st_dev));
}

Usage Meter::read() const {
  Usage usage;
  // Fields as in the kernel's Documentation/block/stat.rst: 7 sectors written, 16 flushes.
  std::ifstream stat_file(stat_path_);
  uint64_t value = 0;
  for (int field = 1; stat_file >> value; ++field) {
    if (field == 7) usage.device_bytes = value * kSectorBytes;
    if (field == 16) usage.device_flushes = value;
  }
  usage.process_syncs = sync_calls.load(std::memory_order_relaxed);
  return usage;
}

FloorProbe::FloorProbe(const std::string& dir) : path_(dir + "/floor.probe") {
  grow_with_zeros(path_, kProbePages * kPageBytes);
  fd_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  if (fd_ < 0) die(fmt::format("{}: {}", path_, strerror(errno)));
}

FloorProbe::~FloorProbe() {
  close(fd_);
  unlink(path_.c_str());
}

void FloorProbe::sample(int times, std::vector<double>& out_us) {
  char page[kPageBytes];
  for (int i = 0; i < times; ++i) {
    memset(page, static_cast<int>(next_page_ & 0xff), sizeof page);
    double start_us = now_us();
    if (pwrite(fd_, page, sizeof page, (next_page_ % kProbePages) * kPageBytes) != kPageBytes ||
        fdatasync(fd_) != 0) {
      die(fmt::format("{}: {}", path_, strerror(errno)));
    }
    out_us.push_back(now_us() - start_us);
    ++next_page_;
  }
}

void grow_with_zeros(const std::string& path, int64_t bytes) {
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) die(fmt::format("{}: {}", path, strerror(errno)));
  std::vector<char> zeros(1 << 20);
  int64_t at = lseek(fd, 0, SEEK_END);
  while (at < bytes) {
    auto length = static_cast<size_t>(std::min<int64_t>(bytes - at, std::ssize(zeros)));
    ssize_t written = pwrite(fd, zeros.data(), length, at);
    if (written <= 0) die(fmt::format("{}: {}", path, strerror(errno)));
    at += written;
  }
  if (fsync(fd) != 0) die(fmt::format("{}: {}", path, strerror(errno)));
  close(fd);
}

void sync_file_system(const std::string& dir) {
  int fd = open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || syncfs(fd) != 0) die(fmt::format("{}: {}", dir, strerror(errno)));
  close(fd);
}

}  // namespace perdure::bench
