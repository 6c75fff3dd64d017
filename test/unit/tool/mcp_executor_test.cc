// What becomes of calls, whatever their server does.
#include "tool/mcp_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mcp_world.h"

namespace perdure {
namespace {

using test::call_of;
using test::McpWorld;
using ::testing::HasSubstr;

TEST(McpExecutorTest, ACallIsWrittenOnceAndAnswered) {
  McpWorld world;
  world.start();
  world.call(call_of("look"));
  const json::value request = world.runner.take();
  EXPECT_EQ(request.at("method"), "tools/call");
  EXPECT_EQ(request.at("params").at("name"), "look");
  EXPECT_EQ(request.at("params").at("_meta").at("perdure/idempotency-key"), "key of look");
  EXPECT_EQ(request.at("params").at("_meta").at("perdure/epoch"), 7);
  world.answer(request, R"({"content":[{"type":"text","text":"x"}],"_meta":{"a":1}})");
  const SettleStep settled = world.settled();
  EXPECT_EQ(settled.outcome, Outcome::kSucceeded);
  EXPECT_EQ(settled.result.view(), R"({"content":[{"type":"text","text":"x"}]})");
  world.answer(request, "{}");
  EXPECT_TRUE(world.settles.empty()) << "the second answer";
}

TEST(McpExecutorTest, WhatAnAnswerMeans) {
  struct Case {
    const char* answer;
    Outcome of_once;
    Outcome of_repeat;
  };
  constexpr Outcome kDone = Outcome::kSucceeded;
  constexpr Outcome kFailed = Outcome::kFailed;
  constexpr Outcome kDoubt = Outcome::kInDoubt;
  const Case kCases[] = {{R"("result":{"content":[],"isError":true})", kFailed, kFailed},
                         {R"("result":{})", kDone, kDone},
                         {R"("error":{"code":-32601,"message":""})", kFailed, kFailed},
                         {R"("error":{"code":-32600,"message":""})", kDoubt, kFailed},
                         {R"("error":{"code":-32602,"message":"bad result"})", kDoubt, kFailed},
                         {R"("error":{"code":-32700,"message":""})", kDoubt, kFailed},
                         {R"("error":{"code":-32042,"message":""})", kDoubt, kFailed},
                         {R"("error":{"code":-32603,"message":"oops"})", kDoubt, kDoubt},
                         {R"("error":{"code":1,"message":"oops"})", kDoubt, kDoubt}};
  McpWorld world;
  world.start();
  const auto outcome_of = [&](const char* answer, EffectClass effect) {
    world.call(call_of("look", effect));
    world.runner.say(fmt::format(R"({{"jsonrpc":"2.0","id":{},{}}})",
                                 to_json(world.runner.take().at("id")), answer));
    return world.settled().outcome;
  };
  for (const Case& each : kCases) {
    EXPECT_EQ(outcome_of(each.answer, EffectClass::kOnce), each.of_once) << each.answer;
    EXPECT_EQ(outcome_of(each.answer, EffectClass::kIdempotent), each.of_once) << each.answer;
    EXPECT_EQ(outcome_of(each.answer, EffectClass::kRepeat), each.of_repeat) << each.answer;
    EXPECT_EQ(outcome_of(each.answer, EffectClass::kRead), each.of_repeat) << each.answer;
  }
}

TEST(McpExecutorTest, ALongResultIsCutAndSaysSo) {
  McpWorld world;
  world.config.max_output_bytes = 40;
  world.start();
  world.call(call_of("look"));
  world.answer(world.runner.take(), fmt::format(R"({{"content":[{{"type":"text","text":"{}"}}]}})",
                                                std::string(99, 'x')));
  const SettleStep settled = world.settled();
  EXPECT_EQ(settled.outcome, Outcome::kSucceeded);
  EXPECT_THAT(std::string(settled.result.view()), HasSubstr("[truncated"));
  EXPECT_LT(settled.result.view().size(), 120U);
}

TEST(McpExecutorTest, AServerThatDiesLeavesDoubtAndIsStartedAgain) {
  McpWorld world;
  world.start();
  world.call(call_of("pay"));
  world.runner.take();
  world.runner.complain("out of luck\n");
  world.runner.exit(3);
  const SettleStep settled = world.settled();
  EXPECT_EQ(settled.outcome, Outcome::kInDoubt);
  EXPECT_THAT(settled.detail, HasSubstr("status 3"));
  EXPECT_THAT(settled.detail, HasSubstr("out of luck"));
  // What comes now waits for the next one.
  world.call(call_of("look"));
  EXPECT_EQ(world.runner.specs.size(), 1U);
  world.timers.advance(500);
  ASSERT_EQ(world.runner.specs.size(), 2U);
  world.greet();
  const json::value request = world.runner.take();
  EXPECT_GT(request.at("id").as_int64(), 4) << "ids are never given out again";
  world.answer(request, "{}");
  EXPECT_EQ(world.settled().outcome, Outcome::kSucceeded);
}

TEST(McpExecutorTest, EachFailureInARowIsWaitedForLonger) {
  McpWorld world;
  world.make();
  size_t starts = 1;
  for (const int64_t delay_ms : {500, 1000, 2000, 4000}) {
    world.runner.exit(1);
    world.timers.advance(delay_ms - 1);
    EXPECT_EQ(world.runner.specs.size(), starts);
    world.timers.advance(1);
    EXPECT_EQ(world.runner.specs.size(), ++starts);
  }
  EXPECT_FALSE(world.executor->wait_until_known());
  EXPECT_EQ(world.executor->entry().connected, false);
}

TEST(McpExecutorTest, WhatWasNotWrittenWasNotSent) {
  McpWorld world;
  world.start();
  world.runner.reads = false;  // its stdin is full
  world.call(call_of("pay"));
  EXPECT_EQ(world.settled().outcome, Outcome::kNotSent);

  world.runner.reads = true;
  CallRequest late = call_of("pay", EffectClass::kIdempotent);
  late.send.not_after_ms = world.timers.now_ms;
  world.call(late);
  EXPECT_EQ(world.settled().outcome, Outcome::kNotSent);
  EXPECT_TRUE(world.runner.written.empty());
}

TEST(McpExecutorTest, CallsWaitForAServerNoLongerThanItMayTakeToStart) {
  McpWorld world;
  world.make();
  world.call(call_of("pay"));
  world.runner.exit(1);
  EXPECT_EQ(world.settled().outcome, Outcome::kNotSent) << "it cannot be had";

  world.timers.advance(500);
  world.call(call_of("pay"));
  world.timers.advance(world.config.start_ms);  // it says nothing
  const SettleStep settled = world.settled();
  EXPECT_EQ(settled.outcome, Outcome::kNotSent);
  EXPECT_THAT(settled.detail, HasSubstr("did not"));
}

TEST(McpExecutorTest, ACallWithoutAnAnswerIsDoubtAndIsCancelled) {
  McpWorld world;
  world.start();
  world.call(call_of("pay"));
  const json::value request = world.runner.take();
  world.timers.advance(world.config.call_ms);
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt);
  const json::value cancelled = world.runner.take();
  EXPECT_EQ(cancelled.at("method"), "notifications/cancelled");
  EXPECT_EQ(cancelled.at("params").at("requestId"), request.at("id"));
  EXPECT_FALSE(world.executor->entry().connected) << "it said nothing since: it hangs";
}

// A call that has reported progress, `times` times in a row, each time at nine tenths of its time.
struct Progress {
  explicit Progress(McpWorld& in) : world(in) {
    world.config.call_ms = 1000;
    world.config.total_ms = 5000;
    world.start();
    world.call(call_of("pay"));
    request = world.runner.take();
  }
  void report(int times = 1) const {
    for (int i = 0; i < times; ++i) {
      world.timers.advance(900);
      say();
    }
  }
  void say() const {
    world.runner.say(fmt::format(
        R"({{"jsonrpc":"2.0","method":"notifications/progress",
             "params":{{"progressToken":{},"progress":1}}}})",
        to_json(request.at("params").at("_meta").at("progressToken"))));
  }
  McpWorld& world;
  json::value request;
};

TEST(McpExecutorTest, ACallThatReportsProgressHasMoreTime) {
  McpWorld world;
  const Progress progress(world);
  progress.report();
  world.timers.advance(600);
  EXPECT_TRUE(world.settles.empty());
  world.answer(progress.request, "{}");
  EXPECT_EQ(world.settled().outcome, Outcome::kSucceeded);

  world.call(call_of("pay"));
  world.runner.take();
  world.timers.advance(1000);
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt) << "the next one has said nothing";
}

TEST(McpExecutorTest, ProgressThatStopsIsDoubt) {
  McpWorld world;
  const Progress progress(world);
  progress.report(2);
  world.timers.advance(999);
  EXPECT_TRUE(world.settles.empty());
  world.timers.advance(1);
  EXPECT_THAT(world.settled().detail, HasSubstr("within 1000 ms"));
  EXPECT_TRUE(world.executor->entry().connected) << "it does not hang";
}

TEST(McpExecutorTest, ProgressForEverEndsAtTheTotal) {
  McpWorld world;
  const Progress progress(world);
  progress.report(5);
  EXPECT_TRUE(world.settles.empty());
  world.timers.advance(499);
  progress.say();
  EXPECT_TRUE(world.settles.empty());
  world.timers.advance(1);
  const SettleStep settled = world.settled();
  EXPECT_EQ(settled.outcome, Outcome::kInDoubt);
  EXPECT_THAT(settled.detail, HasSubstr("within 5000 ms in all"));
  EXPECT_EQ(world.runner.take().at("method"), "notifications/cancelled");
}

TEST(McpExecutorTest, AFloodOfProgressIsOneTimer) {
  McpWorld world;
  const Progress progress(world);
  const size_t timers = world.timers.count();
  for (int i = 0; i < 10'000; ++i) progress.say();
  EXPECT_EQ(world.timers.count(), timers);
  EXPECT_TRUE(world.settles.empty());
  for (int i = 0; i < 100'000; ++i) progress.say();
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt) << "a server that only talks is cut off";
}

TEST(McpExecutorTest, WhatMayBeStoppedIsStopped) {
  McpWorld world;
  world.make();
  world.call(call_of("pay"));
  world.executor->abort({}, "pay");
  EXPECT_EQ(world.settled().outcome, Outcome::kNotSent) << "it waited";
  world.greet();
  world.call(call_of("pay"));
  world.runner.take();
  world.executor->abort({}, "pay");
  EXPECT_TRUE(world.settles.empty()) << "an acting call runs to its end";
  world.call(call_of("look", EffectClass::kRead));
  world.runner.take();
  world.executor->abort({}, "look");
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt);
  EXPECT_EQ(world.runner.take().at("method"), "notifications/cancelled");
}

TEST(McpExecutorTest, ItsWorldIsWhatTheOperatorLists) {
  McpWorld world;
  world.config.environment = {{"A", "b"}};
  world.config.readable = {"/opt/shop"};
  world.make();
  const ProcessSpec& spec = world.runner.specs.at(0);
  EXPECT_EQ(spec.isolation, ProcessSpec::Isolation::kSandbox);
  EXPECT_FALSE(spec.network);
  EXPECT_EQ(spec.hidden, std::vector<std::string>{"/data"});
  EXPECT_EQ(spec.readable, std::vector<std::string>{"/opt/shop"});
  std::map<std::string, std::string> environment(spec.environment.begin(), spec.environment.end());
  EXPECT_EQ(environment.at("A"), "b");
  EXPECT_EQ(environment.size(), 4U) << "PATH, HOME and LANG besides";
}

// Secrets.

const std::string kSecret = "correct-horse-battery-staple";

std::string planted(std::string_view text) {
  std::string out(text);
  for (size_t at = 0; (at = out.find("PLANT", at)) != std::string::npos;) {
    out.replace(at, 5, kSecret);
  }
  return out;
}

TEST(McpExecutorTest, ASecretInADefinitionIsMasked) {
  McpWorld world;
  ASSERT_TRUE(world.secrets.add("k", kSecret));
  const std::string offered = planted(
      R"([{"name":"look","description":"Key PLANT.","annotations":{"title":"PLANT"},"inputSchema":
           {"type":"object","properties":{"PLANT":{"type":"string","default":"PLANT"}}}},
          {"name":"PLANT","inputSchema":{"type":"object"}},
          {"name":"pay","description":"Pays.","inputSchema":{"type":"object"}}])");
  const std::string raw = planted(
      R"({"version":1,"tools":[{"name":"pay","description":"Pays.","inputSchema":{"type":"object"}},
          {"name":"look","description":"Key PLANT.","annotations":{"title":"PLANT"},"inputSchema":
           {"type":"object","properties":{"PLANT":{"type":"string","default":"PLANT"}}}}]})");
  const auto shown = [&] {
    std::string all = world.pins.texts["shop"];
    for (const ToolEntry& tool : world.executor->tools()) {
      all += tool.name + tool.description + tool.input_schema + tool.definition + tool.why;
    }
    return all;
  };
  world.start(offered);
  EXPECT_EQ(world.executor->tools().size(), 2U) << "a name that is a secret is none";
  EXPECT_EQ(world.executor->entry().not_accepted, 0U);
  EXPECT_THAT(shown(), HasSubstr("Key {{secret:k}}."));
  EXPECT_EQ(shown().find(kSecret), std::string::npos);
  // Accepted when it was not known as a secret yet: nothing has changed.
  world.pins.texts["shop"] = raw;
  world.make();
  world.greet(offered);
  EXPECT_EQ(world.executor->entry().not_accepted, 0U);
  world.pins.texts.clear();
  EXPECT_EQ(shown().find(kSecret), std::string::npos);
  EXPECT_TRUE(world.executor->accept(""));
  EXPECT_EQ(shown().find(kSecret), std::string::npos);
}

TEST(McpExecutorTest, ASecretIsMaskedBeforeAPartOfATextIsTold) {
  const auto tail_of_secret = std::string(kSecret.substr(8));
  for (size_t behind = 1000; behind <= 1024; ++behind) {
    McpWorld world;
    ASSERT_TRUE(world.secrets.add("k", kSecret));
    world.start();
    world.call(call_of("pay"));
    world.runner.take();
    const std::string last = std::string(kSecret) + std::string(behind, '.');
    for (const char c : last) world.runner.complain(std::string(1, c));
    world.runner.exit(1);
    EXPECT_EQ(world.settled().detail.find(tail_of_secret), std::string::npos) << behind;
  }
  for (size_t before = 280; before < 300; ++before) {
    McpWorld world;
    ASSERT_TRUE(world.secrets.add("k", kSecret));
    world.start();
    world.call(call_of("pay"));
    world.answer(world.runner.take(),
                 fmt::format(R"({{"isError":true,"content":[{{"type":"text","text":"{}{}"}}]}})",
                             std::string(before, 'x'), kSecret));
    EXPECT_EQ(world.settled().detail.find("corr"), std::string::npos) << before;
  }
}

// Lists.

constexpr std::string_view kChanged = R"([{"name":"look","inputSchema":{"type":"object"}},
    {"name":"pay","description":"Pays more.","inputSchema":{"type":"object"}},
    {"name":"new","inputSchema":{"type":"object"}}])";

TEST(McpExecutorTest, WhatChangesWaitsForTheOperator) {
  {
    McpWorld first;
    first.start();
    EXPECT_TRUE(first.executor->wait_until_known());
  }
  McpWorld world;
  world.pins.texts["shop"] = R"({"version":1,"tools":[
    {"name":"look","inputSchema":{"type":"object"}},
    {"name":"gone","inputSchema":{"type":"object"}},
    {"name":"pay","description":"Pays.","inputSchema":{"type":"object"}}]})";
  world.make();
  EXPECT_TRUE(world.executor->wait_until_known()) << "it was seen before";
  EXPECT_EQ(world.executor->tools().size(), 3U);
  world.greet(kChanged);
  std::map<std::string, ToolState> states;
  for (const ToolEntry& tool : world.executor->tools()) states[tool.name] = tool.state;
  EXPECT_EQ(states["shop.look"], ToolState::kOk);
  EXPECT_EQ(states["shop.pay"], ToolState::kChanged);
  EXPECT_EQ(states["shop.new"], ToolState::kNew);
  EXPECT_EQ(states["shop.gone"], ToolState::kGone);
  EXPECT_EQ(world.executor->entry().not_accepted, 3U);
  for (const char* tool : {"pay", "new", "gone", "never"}) {
    world.call(call_of(tool));
    EXPECT_EQ(world.settled().outcome, Outcome::kFailed) << tool;
  }
  EXPECT_TRUE(world.runner.written.empty());
  EXPECT_THAT(world.executor->ruling("shop.pay")->refusal, HasSubstr("not what was accepted"));

  const auto other = world.executor->accept(std::string(64, '0'));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kConflict);
  world.pins.is_full = true;
  EXPECT_FALSE(world.executor->accept(""));
  EXPECT_EQ(world.executor->entry().not_accepted, 3U) << "not durable, not accepted";
  world.pins.is_full = false;
  const auto accepted = world.executor->accept(world.executor->entry().offered_sha256);
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->size(), 3U);
  EXPECT_EQ(world.executor->entry().not_accepted, 0U);
  world.call(call_of("new"));
  EXPECT_EQ(world.runner.take().at("params").at("name"), "new");
  EXPECT_THAT(world.pins.texts["shop"], HasSubstr("Pays more."));
}

TEST(McpExecutorTest, CallsWaitForAListThatHasChanged) {
  McpWorld world;
  world.start();
  world.timers.advance(5000);
  world.runner.say(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  world.call(call_of("pay"));
  const json::value list = world.runner.take();
  EXPECT_EQ(list.at("method"), "tools/list");
  EXPECT_TRUE(world.runner.written.empty()) << "the call waits";
  // Again, and again: once more is enough, and not at once.
  for (int i = 0; i < 3; ++i) {
    world.runner.say(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  }
  world.answer(list, fmt::format(R"({{"tools":{}}})", McpWorld::kTools));
  EXPECT_TRUE(world.runner.written.empty());
  world.timers.advance(1100);
  const json::value again = world.runner.take();
  EXPECT_EQ(again.at("method"), "tools/list");
  world.answer(again, fmt::format(R"({{"tools":{}}})", kChanged));
  EXPECT_EQ(world.settled().outcome, Outcome::kFailed);
}

TEST(McpExecutorTest, WhatIsAcceptedAtFirstIsDurableBeforeACall) {
  McpWorld world;
  world.pins.is_full = true;
  world.make();
  world.call(call_of("look"));
  world.greet();
  world.timers.advance(world.config.start_ms);
  EXPECT_EQ(world.settled().outcome, Outcome::kNotSent);
  for (const std::string& line : world.runner.written) {
    EXPECT_EQ(line.find("tools/call"), std::string::npos);
  }
}

TEST(McpExecutorTest, HintsOfAServerMakeItStricter) {
  const auto rules = [](std::string_view annotations, const char* pattern, bool trust,
                        bool ask_is_said = false) {
    McpServerConfig config;
    config.name = "shop";
    config.trust_annotations = trust;
    if (pattern != nullptr) {
      McpContract contract;
      contract.pattern = pattern;
      contract.rules.contract.effect = EffectClass::kRead;
      contract.rules.ask = false;
      contract.ask_is_said = ask_is_said;
      config.contracts.push_back(contract);
    }
    McpWorld world;
    world.config.contracts = config.contracts;
    world.config.trust_annotations = trust;
    world.start(
        fmt::format(R"([{{"name":"get","inputSchema":{{}},"annotations":{}}}])", annotations));
    const ToolRules found = world.executor->ruling("shop.get")->rules;
    return std::pair(found.contract.effect, found.ask);
  };
  using Pair = std::pair<EffectClass, bool>;
  const Pair strict{EffectClass::kOnce, true};
  const Pair read{EffectClass::kRead, false};
  EXPECT_EQ(rules("{}", nullptr, false), strict);
  EXPECT_EQ(rules(R"({"readOnlyHint":true})", nullptr, false), strict) << "not looser";
  EXPECT_EQ(rules(R"({"readOnlyHint":true})", nullptr, true), read);
  EXPECT_EQ(rules(R"({"idempotentHint":true})", nullptr, true), (Pair{EffectClass::kRepeat, true}));
  EXPECT_EQ(rules("{}", "g*", false), read);
  EXPECT_EQ(rules(R"({"readOnlyHint":false})", "g*", false), strict);
  EXPECT_EQ(rules(R"({"destructiveHint":true})", "g*", true), strict);
  EXPECT_EQ(rules(R"({"readOnlyHint":false})", "get", false), read) << "named by the operator";
  EXPECT_EQ(rules(R"({"destructiveHint":true})", "get", false), (Pair{EffectClass::kRead, true}));
  EXPECT_EQ(rules(R"({"destructiveHint":true})", "get", false, true), read);
}

}  // namespace
}  // namespace perdure
