#include "base/shares.h"

#include <gtest/gtest.h>

#include <string>

namespace perdure {
namespace {

size_t take_all(Shares& shares, const std::string& tenant) {
  size_t taken = 0;
  while (shares.take(tenant)) ++taken;
  return taken;
}

TEST(Shares, OneAloneLeavesAQuarter) {
  Shares shares(4'096);
  EXPECT_EQ(take_all(shares, "a"), 3'072u);
  EXPECT_EQ(take_all(shares, "b"), 768u) << "three quarters of what is left";
  EXPECT_TRUE(shares.take("c"));
}

TEST(Shares, WhoComesAlwaysFindsSome) {
  Shares shares(1'000);
  for (int i = 0; i < 4; ++i) EXPECT_GT(take_all(shares, "t" + std::to_string(i)), 0u);
}

TEST(Shares, WhatIsGivenBackCanBeTakenAgain) {
  Shares shares(8);
  const size_t all = take_all(shares, "a");
  EXPECT_FALSE(shares.has_room("a"));
  shares.give_back("a");
  EXPECT_EQ(shares.used(), all - 1);
  EXPECT_TRUE(shares.take("a"));
  shares.give_back("nobody");
  EXPECT_EQ(shares.used(), all);
}

TEST(Shares, WhatIsTakenAnywayCounts) {
  Shares shares(2);
  for (int i = 0; i < 5; ++i) shares.add("a");
  EXPECT_EQ(shares.used(), 5u);
  EXPECT_FALSE(shares.take("b"));
}

TEST(Shares, OfOneAnybodyMayHaveIt) {
  Shares shares(1);
  EXPECT_TRUE(shares.take("a"));
  EXPECT_FALSE(shares.take("b"));
}

}  // namespace
}  // namespace perdure
