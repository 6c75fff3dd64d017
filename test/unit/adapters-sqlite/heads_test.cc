#include "adapters/sqlite/heads.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

TaskId id(uint64_t number) {
  return TaskId::make(1, number, number << 8);
}

TEST(Heads, StaysBoundedAndForgetsOnlyWhatIsOld) {
  Heads heads(10);
  for (uint64_t i = 0; i < 1000; ++i) {
    heads.put(id(i), {.key = 1, .tenant = 1, .seq = i, .epoch = 1});
    EXPECT_LE(heads.size(), 20u);
    for (uint64_t back = 0; back < 10 && back <= i; ++back) {
      const auto known = heads.find(id(i - back));
      ASSERT_TRUE(known) << i << " " << back;
      EXPECT_EQ(known->seq, i - back);
    }
  }
  EXPECT_FALSE(heads.find(id(900)));
}

TEST(Heads, TheNewestValueCounts) {
  Heads heads(2);
  heads.put(id(1), {.key = 1, .tenant = 1, .seq = 1, .epoch = 1});
  heads.put(id(2), {.key = 2, .tenant = 1, .seq = 1, .epoch = 1});
  heads.put(id(3), {.key = 3, .tenant = 1, .seq = 1, .epoch = 1});  // 1 and 2 are old now
  heads.put(id(1), {.key = 1, .tenant = 1, .seq = 7, .epoch = 2});
  EXPECT_EQ(heads.find(id(1))->seq, 7u);
  EXPECT_EQ(heads.find(id(1))->epoch, 2u);
}

}  // namespace
}  // namespace perdure
