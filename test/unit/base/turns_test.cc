#include "base/turns.h"

#include <gmock/gmock.h>

#include <vector>

namespace perdure {
namespace {

std::vector<int> all(Turns<int>& turns) {
  std::vector<int> out;
  while (!turns.empty()) {
    const int next = turns.next();
    EXPECT_EQ(turns.take(), next);
    out.push_back(next);
  }
  return out;
}

TEST(Turns, ServesOneOfEachTenantRoundAndRound) {
  Turns<int> turns;
  for (int i = 0; i < 4; ++i) turns.add("a", i);
  turns.add("b", 10);
  turns.add("c", 20);
  turns.add("c", 21);
  EXPECT_THAT(all(turns), testing::ElementsAre(0, 10, 20, 1, 21, 2, 3));
}

TEST(Turns, WhoComesLaterIsNotBehindAllOfAnother) {
  Turns<int> turns;
  for (int i = 0; i < 3; ++i) turns.add("b", i);
  EXPECT_EQ(turns.take(), 0);
  turns.add("a", 10);
  EXPECT_THAT(all(turns), testing::ElementsAre(10, 1, 2));
}

TEST(Turns, ForgetsWhatWaitsNoMore) {
  Turns<int> turns;
  turns.add("a", 1);
  turns.add("a", 2);
  turns.add("b", 3);
  EXPECT_TRUE(turns.remove([](int item) { return item == 3; }));
  EXPECT_FALSE(turns.remove([](int item) { return item == 3; }));
  EXPECT_TRUE(turns.remove([](int item) { return item == 1; }));
  EXPECT_THAT(all(turns), testing::ElementsAre(2));
}

TEST(Turns, WhoMayNotIsPassedOver) {
  Turns<int> turns;
  turns.add("a", 1);
  turns.add("b", 2);
  turns.add("b", 3);
  const auto not_a = [](const std::string& tenant) { return tenant != "a"; };
  EXPECT_EQ(turns.take_if(not_a), 2);
  EXPECT_EQ(turns.take_if(not_a), 3);
  EXPECT_EQ(turns.take_if(not_a), std::nullopt);
  EXPECT_EQ(turns.size(), 1u);
  EXPECT_EQ(turns.size_of("a"), 1u);
  EXPECT_THAT(all(turns), testing::ElementsAre(1));
}

}  // namespace
}  // namespace perdure
