#include "trace.h"

#include <fmt/core.h>

namespace perdure::sim {
namespace {

constexpr size_t kLastMax = 20;

}  // namespace

void Trace::keep(int64_t now_us, std::string_view what, const std::string& line) {
  const int64_t seconds = now_us / 1'000'000;
  std::string text = fmt::format("{:5}:{:02}:{:02}.{:06}  {:<14} {}", seconds / 3600,
                                 seconds / 60 % 60, seconds % 60, now_us % 1'000'000, what, line);
  if (text_ == Text::kAll) {
    fmt::print("{}\n", text);
  }
  last_.push_back(std::move(text));
  if (last_.size() > kLastMax) last_.pop_front();
}

}  // namespace perdure::sim
