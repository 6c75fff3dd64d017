#include "cost.h"

#include <fmt/core.h>
#include <sys/resource.h>

namespace perdure::bench {
namespace {

constexpr double kSampleEveryUs = 100'000;

}  // namespace

double cpu_us() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto us = [](const timeval& t) { return double(t.tv_sec) * 1e6 + double(t.tv_usec); };
  return us(used.ru_utime) + us(used.ru_stime);
}

CostMeter::CostMeter(const std::string& dir) : meter_(dir), probe_(dir) {}

void CostMeter::start() {
  since_ = meter_.read();
  cpu_since_ = cpu_us();
  sampled_at_ = now_us();
}

void CostMeter::charge() {
  used_ += meter_.read() - since_;
  cpu_ += cpu_us() - cpu_since_;
}

bool CostMeter::is_sample_due() {
  return now_us() - sampled_at_ >= kSampleEveryUs;
}

void CostMeter::sample_floor(int times) {
  charge();
  probe_.sample(times, floor_);
  start();
}

void CostMeter::stop() {
  charge();
}

double CostMeter::floor_us() const {
  return quantile(floor_, 0.5);
}

std::string CostMeter::describe(double steps) const {
  const std::string device = used_.device_bytes == 0
                                 ? "device n/a"
                                 : fmt::format("{:.2f} flushes, {:.1f} KB to the device",
                                               double(used_.device_flushes) / steps,
                                               double(used_.device_bytes) / steps / 1e3);
  const std::string floor = floor_.empty() ? "" : fmt::format("F {:.0f} us; ", floor_us());
  return fmt::format("{}{}, {:.1f} us CPU a step", floor, device, cpu_ / steps);
}

}  // namespace perdure::bench
