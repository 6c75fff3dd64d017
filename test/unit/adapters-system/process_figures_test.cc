#include "adapters/system/process_figures.h"

#include <gtest/gtest.h>
#include <time.h>

#include <fstream>

namespace perdure {
namespace {

TEST(ProcessFigures, AreThoseOfThisProcess) {
  const auto before = process_figures();
  ASSERT_TRUE(before);
  EXPECT_GT(before->resident_bytes, 500'000u);
  EXPECT_GE(before->virtual_bytes, before->resident_bytes);
  EXPECT_GE(before->open_descriptors, 3u);
  EXPECT_GE(before->descriptors_max, before->open_descriptors);
  const auto now = static_cast<double>(time(nullptr));
  EXPECT_LE(before->started_unix_seconds, now + 2);
  EXPECT_GT(before->started_unix_seconds, now - 3600);
  std::ifstream one("/proc/self/stat"), two("/proc/self/stat");
  EXPECT_EQ(process_figures()->open_descriptors, before->open_descriptors + 2);
}

}  // namespace
}  // namespace perdure
