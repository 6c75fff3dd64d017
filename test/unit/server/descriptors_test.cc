#include "server/descriptors.h"

#include <gtest/gtest.h>

namespace perdure::server {
namespace {

constexpr size_t kOfCall = 3;
constexpr size_t kOfChild = 5;

TEST(Descriptors, AllPartsTogetherFit) {
  for (const size_t limit : {256u, 1'024u, 4'096u, 20'000u, 100'000u, 1'048'576u}) {
    for (const size_t children : {0u, 4u, 16u}) {
      const DescriptorShares shares = share_descriptors(limit, children);
      EXPECT_LE(shares.connections + kOfCall * shares.calls + kOfChild * children + 64, limit);
      EXPECT_GE(shares.connections, 20u) << limit;
      EXPECT_GE(shares.calls, 8u) << limit;
    }
  }
}

TEST(Descriptors, ThereIsAnEndToWhatIsOfUse) {
  const DescriptorShares shares = share_descriptors(1'048'576, 0);
  EXPECT_EQ(shares.connections, 20'000u);
  EXPECT_EQ(shares.calls, 8'192u);
}

TEST(Descriptors, WhatIsTooLittleIsSharedOutAllTheSame) {
  const DescriptorShares shares = share_descriptors(32, 100);
  EXPECT_GE(shares.connections, 1u);
  EXPECT_GE(shares.calls, 1u);
}

}  // namespace
}  // namespace perdure::server
