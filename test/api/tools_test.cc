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
  const auto accept = [&](const char* token, const char* server, const char* body) {
    return world.ask({.method = "POST",
                      .target = std::string("/v1/tools/") + server + "/accept",
                      .body = body,
                      .token = token});
  };
  EXPECT_EQ(accept("operator", "none", "{}").status, 404);
  EXPECT_EQ(accept("operator", "shop", R"({"offered_sha256":"old"})").status, 409);
  EXPECT_EQ(accept("operator", "shop", R"({"offered_sha256":""})").status, 422);
  EXPECT_EQ(accept("operator", "shop", R"({"sha":"cc"})").status, 422);
  for (const char* token : {"runner", "approver", "worker", "all"}) {
    EXPECT_EQ(accept(token, "shop", "{}").status, 403) << token;
  }
  EXPECT_EQ(world.get("/v1/tools").text("/tools/1/state"), "changed");
  const Answer done = accept("operator", "shop", R"({"offered_sha256":"cc"})");
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.text("/tools/0"), "shop.look");
  EXPECT_EQ(world.get("/v1/tools").text("/tools/1/state"), "ok");
}

}  // namespace
}  // namespace perdure::api::test
