// Which tools there are, and who gets a call.
#include "runtime/tool_router.h"

#include <gtest/gtest.h>

namespace perdure::runtime {
namespace {

class Noted : public Executor {
 public:
  void start(CallRequest request, Done) override { started.push_back(request.send.name); }
  void abort(const TaskId&, const StepId&) override { ++aborted; }
  std::vector<std::string> started;
  int aborted = 0;
};

class Shop : public ToolServer {
 public:
  ToolServerEntry entry() const override { return {}; }
  std::vector<ToolEntry> tools() const override {
    ToolEntry look;
    look.name = "shop.look";
    ToolEntry fresh;
    fresh.name = "shop.fresh";
    fresh.state = ToolState::kNew;
    return {look, fresh};
  }
  std::optional<ToolRuling> ruling(const std::string& tool) const override {
    if (tool == "shop.look") return ToolRuling{};
    return std::nullopt;
  }
  Result<std::vector<std::string>> accept(const std::string&) override { return {{"shop.fresh"}}; }
  void start(CallRequest request, Done) override { started.push_back(request.send.name); }
  void abort(const TaskId&, const StepId&) override {}
  std::vector<std::string> started;
};

CallRequest call(const std::string& name) {
  CallRequest request;
  request.send.name = name;
  return request;
}

struct World {
  World() {
    ToolEntry pay;
    pay.name = "pay";
    pay.rules.contract.effect = EffectClass::kRead;
    router.add(pay, &http);
    ToolEntry own;
    own.name = "shop.own";  // the operator's own word stands before the server's
    router.add(own, &http);
    router.add_server("shop", shop);
  }
  Noted http;
  Shop shop;
  ToolRouter router;
};

TEST(ToolRouterTest, ACallGoesToWhoeverHasTheTool) {
  World world;
  for (const char* name : {"pay", "shop.own", "shop.look", "shop.none"}) {
    world.router.start(call(name), [](SettleStep) { FAIL(); });
  }
  EXPECT_EQ(world.http.started, (std::vector<std::string>{"pay", "shop.own"}));
  EXPECT_EQ(world.shop.started, (std::vector<std::string>{"shop.look", "shop.none"}));
  std::vector<Outcome> outcomes;
  world.router.start(call("none"), [&](SettleStep s) { outcomes.push_back(s.outcome); });
  EXPECT_EQ(outcomes, std::vector<Outcome>{Outcome::kNotSent});
  world.router.abort({}, "s");
  EXPECT_EQ(world.http.aborted, 1) << "one executor, however many tools it has";
}

TEST(ToolRouterTest, AgentsGetWhatIsAccepted) {
  World world;
  std::vector<std::string> offered;
  for (const auto& tool : world.router.offered()) offered.push_back(tool.name);
  EXPECT_EQ(offered, (std::vector<std::string>{"pay", "shop.look", "shop.own"}));
  EXPECT_EQ(world.router.names().size(), 4U);
  EXPECT_EQ(world.router.ruling("pay")->rules.contract.effect, EffectClass::kRead);
  EXPECT_TRUE(world.router.ruling("shop.look"));
  EXPECT_FALSE(world.router.ruling("shop.none"));
  EXPECT_FALSE(world.router.ruling("none"));
}

TEST(ToolRouterTest, OnlyAServerIsAccepted) {
  World world;
  EXPECT_TRUE(world.router.accept("shop", ""));
  const auto refused = world.router.accept("shop2", "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "there is no tool server 'shop2'; did you mean 'shop'?");
}

}  // namespace
}  // namespace perdure::runtime
