#include "adapters/system/disk_space.h"

#include <gtest/gtest.h>

#include "fakes/set_clock.h"

namespace perdure {
namespace {

TEST(DiskSpace, IsLowBelowTheReserveUntilAnEighthMoreIsFree) {
  test::SetClock clock;
  Result<uint64_t> free = 1000;
  int asked = 0;
  DiskSpace space("dir", 800, clock, [&](const std::string& dir) {
    EXPECT_EQ(dir, "dir");
    ++asked;
    return free;
  });
  const auto low_with = [&](Result<uint64_t> bytes) {
    free = std::move(bytes);
    clock.steady_ms += 1'000;
    return space.look().low;
  };
  EXPECT_FALSE(low_with(800));
  EXPECT_TRUE(low_with(799));
  EXPECT_TRUE(low_with(899));
  EXPECT_TRUE(low_with(fail(Code::kUnavailable, "gone"))) << "as it was known last";
  EXPECT_FALSE(low_with(900));
  EXPECT_FALSE(low_with(899));
  asked = 0;
  free = 0;
  EXPECT_FALSE(space.look().low) << "asked not so soon again";
  EXPECT_EQ(asked, 0);
}

TEST(DiskSpace, NoReserveIsNeverLow) {
  test::SetClock clock;
  DiskSpace space("dir", 0, clock, [](const std::string&) { return Result<uint64_t>(0); });
  EXPECT_FALSE(space.look().low);
}

TEST(DiskSpace, MeasuresARealDirectory) {
  EXPECT_GT(DiskSpace::free_bytes_of("/").value(), 0u);
  EXPECT_FALSE(DiskSpace::free_bytes_of("/no/such/directory"));
}

}  // namespace
}  // namespace perdure
