// What a run costs: time, bytes and flushes, and the disk's own price of one flush beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace perdure::bench {

[[noreturn]] void die(const std::string& what);

double now_us();

// The q-quantile (0..1) of `samples`; 0 when there are none. Reorders its copy.
double quantile(std::vector<double> samples, double q);

// Counters that only grow. The device's see every process on the machine; the syncs are ours alone.
struct Usage {
  uint64_t device_bytes = 0;
  uint64_t device_flushes = 0;
  uint64_t process_syncs = 0;

  Usage& operator+=(const Usage& other);
  Usage operator-(const Usage& other) const;
};

// Reads the counters of the block device under a directory and of this process.
class Meter {
 public:
  explicit Meter(const std::string& dir);
  Usage read() const;

 private:
  std::string stat_path_;
};

// F: one 4 KiB pwrite and fdatasync in a file whose blocks were written before.
class FloorProbe {
 public:
  explicit FloorProbe(const std::string& dir);
  ~FloorProbe();
  FloorProbe(const FloorProbe&) = delete;
  FloorProbe& operator=(const FloorProbe&) = delete;

  void sample(int times, std::vector<double>& out_us);

 private:
  std::string path_;
  int fd_ = -1;
  int64_t next_page_ = 0;
};

// Extends a file to `bytes` with written zeros and syncs it; never shortens or overwrites it.
void grow_with_zeros(const std::string& path, int64_t bytes);

// Writes out what other work left behind, so that it is not charged to the next.
void sync_file_system(const std::string& dir);

}  // namespace perdure::bench
