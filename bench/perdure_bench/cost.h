#pragma once
// What a run costs beside time: the device's flushes and bytes, CPU; and F, the disk's own price of
// one durable write, sampled while the run pauses.
#include <string>
#include <vector>

#include "schema/meter.h"

namespace perdure::bench {

// User and system time of this process, all threads.
double cpu_us();

class CostMeter {
 public:
  // `dir` is on the disk that is measured.
  explicit CostMeter(const std::string& dir);

  void start();
  // After `start`. Samples F; none of it is charged to the run.
  void sample_floor(int times);
  // True once every 100 ms: time for a sample.
  bool is_sample_due();
  void stop();

  double floor_us() const;  // F
  // "F 92 us; 1.02 flushes, 8.2 KB to the device, 14 us CPU a step"
  std::string describe(double steps) const;
  double cpu_used_us() const { return cpu_; }

 private:
  void charge();

  Meter meter_;
  FloorProbe probe_;
  std::vector<double> floor_;
  perdure::bench::Usage since_, used_;
  double cpu_since_ = 0;
  double cpu_ = 0;
  double sampled_at_ = 0;
};

}  // namespace perdure::bench
