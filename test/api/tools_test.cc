// What tools there are, and a changed list that is accepted.
#include <gtest/gtest.h>

#include "api/world.h"

namespace perdure::api::test {
namespace {

TEST(Tools, AreListedWithWhatWasDeclaredAndWhatStandsAgainstThem) {
  World world;
  const Answer all = world.get("/v1/tools");
  ASSERT_EQ(all.status, 200) << all.body;
  EXPECT_EQ(all.text("/tools/0/name"), "pay");
  EXPECT_EQ(all.text("/tools/0/approval"), "always");
  EXPECT_EQ(all.text("/tools/0/contract/effect"), "once");
  EXPECT_EQ(all.text("/tools/0/input_schema/type"), "object");
  EXPECT_EQ(all.text("/tools/1/server"), "shop");
  EXPECT_EQ(all.text("/tools/1/state"), "changed");
  EXPECT_EQ(all.text("/servers/0/offered_sha256"), "cc");
  EXPECT_EQ(world.get("/v1/tools?limit=1").text("/next_cursor"), "pay");
  EXPECT_EQ(world.get("/v1/tools?limit=1&cursor=pay").text("/tools/0/name"), "shop.look");
}

TEST(Tools, AListIsAcceptedAsItWasSeen) {
  World world;
  EXPECT_EQ(world.post("/v1/tools/none/accept", "{}").status, 404);
  EXPECT_EQ(world.post("/v1/tools/shop/accept", R"({"offered_sha256":"old"})").status, 409);
  EXPECT_EQ(world.post("/v1/tools/shop/accept", R"({"sha":"cc"})").status, 422);
  for (const char* token : {"runner", "approver", "worker"}) {
    EXPECT_EQ(
        world.ask({.method = "POST", .target = "/v1/tools/shop/accept", .token = token}).status,
        403);
  }
  EXPECT_EQ(world.get("/v1/tools").text("/tools/1/state"), "changed");
  const Answer done = world.post("/v1/tools/shop/accept", R"({"offered_sha256":"cc"})");
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.text("/tools/0"), "shop.look");
  EXPECT_EQ(world.get("/v1/tools").text("/tools/1/state"), "ok");
}

}  // namespace
}  // namespace perdure::api::test
