// Questions that a server asks while it runs a call: to whom they go, and what comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mcp_world.h"

namespace perdure {
namespace {

using test::call_of;
using test::McpWorld;

constexpr std::string_view kQuestion = R"({"jsonrpc":"2.0","id":"q","method":"elicitation/create",
  "params":{"message":"Which size?","requestedSchema":{"type":"object","properties":{
    "size":{"type":"string","enum":["S","L"]},"gift":{"type":"boolean","default":true}},
    "required":["size"]}}})";

std::string on_one_line(std::string_view text) {
  std::string line(text);
  std::erase(line, '\n');
  return line;
}

auto asked_as(Seq interrupt_seq) {
  return [=](const std::string&, const Payload&, const CallRequest::Asked& asked) {
    asked(interrupt_seq);
  };
}

TEST(McpExecutorTest, AQuestionGoesToAPersonAndComesBack) {
  McpWorld world;
  world.start();
  std::vector<std::string> asked;
  CallRequest request = call_of("pay");
  request.ask = [&](const std::string& message, const Payload&, const CallRequest::Asked& done) {
    asked.push_back(message);
    done(9);
  };
  world.call(std::move(request));
  const json::value call = world.runner.take();
  world.runner.say(on_one_line(kQuestion));
  EXPECT_EQ(asked, std::vector<std::string>{"The tool server 'shop' asks: Which size?"});
  world.timers.advance(30 * 86'400'000LL);
  EXPECT_TRUE(world.settles.empty()) << "a person has all the time";
  world.executor->answer({}, "pay", 9, Decision::kRespond, Payload::of(R"({"size":"L"})"));
  const json::value answer = world.runner.take();
  EXPECT_EQ(answer.at("id"), "q");
  EXPECT_EQ(to_canonical_json(answer.at("result")),
            R"({"action":"accept","content":{"gift":true,"size":"L"}})");
  world.executor->answer({}, "pay", 9, Decision::kRespond, Payload::of(R"({"size":"S"})"));
  EXPECT_TRUE(world.runner.written.empty()) << "answered once";
  world.timers.advance(world.config.call_ms);
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt) << "the time runs again";
}

// The timer fires, and its callback waits for the lock that the question holds.
TEST(McpExecutorTest, ATimerThatIsLateForAQuestionEndsNothing) {
  for (const bool is_answered : {false, true}) {
    SCOPED_TRACE(is_answered);
    McpWorld world;
    world.start();
    CallRequest request = call_of("pay");
    request.ask = asked_as(9);
    world.call(std::move(request));
    world.runner.take();
    world.timers.fire_late(world.config.call_ms);
    world.runner.say(on_one_line(kQuestion));
    const auto answer = [&] {
      world.executor->answer({}, "pay", 9, Decision::kRespond, Payload::of(R"({"size":"L"})"));
      EXPECT_EQ(world.runner.take().at("id"), "q");
    };
    if (is_answered) answer();
    world.timers.advance(0);
    EXPECT_TRUE(world.settles.empty()) << "the call lives";
    EXPECT_TRUE(world.runner.written.empty()) << "and nobody told the server otherwise";
    if (!is_answered) answer();
    world.timers.advance(world.config.call_ms - 1);
    EXPECT_TRUE(world.settles.empty()) << "it has its whole time again";
    world.timers.advance(1);
    EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt);
  }
}

// The action of a result, or "error".
std::string action_of(const json::value& answer) {
  EXPECT_EQ(answer.at("id"), "q");
  const json::value* result = answer.as_object().if_contains("result");
  return result == nullptr ? "error" : std::string(result->at("action").as_string());
}

TEST(McpExecutorTest, ANoIsWhatAPersonSaid) {
  struct Case {
    Decision decision;
    const char* given;
    const char* action;
  } const kCases[] = {{Decision::kReject, "", "decline"},
                      {Decision::kWithdrawn, "", "cancel"},
                      {Decision::kRespond, R"({"size":"XL"})", "error"},
                      {Decision::kRespond, "no JSON", "error"},
                      {Decision::kRespond, "[]", "error"}};
  for (const auto& [decision, given, action] : kCases) {
    McpWorld world;
    world.start();
    CallRequest request = call_of("pay");
    request.ask = asked_as(9);
    world.call(std::move(request));
    world.runner.take();
    world.runner.say(on_one_line(kQuestion));
    world.executor->answer({}, "pay", 9, decision, Payload::of(given));
    EXPECT_EQ(action_of(world.runner.take()), action) << given;
  }
  McpWorld world;
  world.start();
  world.call(call_of("pay"));  // by somebody who cannot ask
  world.runner.take();
  world.runner.say(on_one_line(kQuestion));
  EXPECT_EQ(action_of(world.runner.take()), "error");
}

TEST(McpExecutorTest, AnAnswerIsOneToItsQuestion) {
  McpWorld world;
  world.start();
  std::vector<CallRequest::Asked> asked;
  int withdrawn = 0;
  CallRequest request = call_of("pay");
  request.ask = [&](const std::string&, const Payload&, CallRequest::Asked by) {
    asked.push_back(std::move(by));
  };
  request.withdraw = [&] { ++withdrawn; };
  world.call(std::move(request));
  world.runner.take();
  const auto answers = [&](Seq interrupt_seq) {
    world.executor->answer({}, "pay", interrupt_seq, Decision::kRespond,
                           Payload::of(R"({"size":"L"})"));
    return !world.runner.written.empty();
  };
  world.runner.say(on_one_line(kQuestion));
  asked.at(0)(7);
  world.runner.say(
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"q"}})");
  EXPECT_EQ(withdrawn, 1);
  world.runner.say(on_one_line(kQuestion));
  EXPECT_FALSE(answers(7)) << "the next one is not known to be asked yet";
  asked.at(0)(tl::unexpected(Error{Code::kConflict, "late"}));
  asked.at(1)(12);
  EXPECT_FALSE(answers(7));
  EXPECT_TRUE(answers(12));
  EXPECT_EQ(action_of(world.runner.take()), "accept");
  EXPECT_EQ(withdrawn, 1);

  world.runner.say(on_one_line(kQuestion));
  asked.at(2)(tl::unexpected(Error{Code::kExhausted, "enough"}));
  EXPECT_EQ(action_of(world.runner.take()), "error") << "nobody is asked";
  world.timers.advance(world.config.call_ms);
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt) << "the time runs again";
}

TEST(McpExecutorTest, WhatWasGivenUpAsksNobodyAndEndsWithItsConnection) {
  McpWorld world;
  world.start();
  int asked = 0;
  const auto start = [&](const char* tool) {
    CallRequest request = call_of(tool);
    request.ask = [&](const std::string&, const Payload&, const auto&) { ++asked; };
    world.call(std::move(request));
    return world.runner.take();
  };
  start("pay");
  world.runner.say(R"({"jsonrpc":"2.0","method":"notifications/message","params":{"data":"x"}})");
  world.timers.advance(world.config.call_ms);
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt);
  EXPECT_EQ(world.runner.take().at("method"), "notifications/cancelled");
  ASSERT_TRUE(world.executor->entry().connected);
  const json::value second = start("look");
  world.runner.say(on_one_line(kQuestion));
  EXPECT_EQ(action_of(world.runner.take()), "error");
  EXPECT_EQ(asked, 0);
  EXPECT_TRUE(world.executor->entry().connected) << "the second call goes on";
  world.answer(second, "{}");
  EXPECT_EQ(world.settled().outcome, Outcome::kSucceeded);
  EXPECT_FALSE(world.executor->entry().connected);
  world.call(call_of("look"));  // waits for the next one
  world.runner.exit(0);
  world.timers.advance(500);
  ASSERT_EQ(world.runner.specs.size(), 2U);
  world.greet();
  world.answer(world.runner.take(), "{}");
  EXPECT_EQ(world.settled().outcome, Outcome::kSucceeded);
  start("pay");
  world.runner.say(on_one_line(kQuestion));
  EXPECT_EQ(asked, 1);
}

TEST(McpExecutorTest, ADeathWhileAPersonIsAskedIsDoubt) {
  McpWorld world;
  world.start();
  CallRequest request = call_of("pay");
  request.ask = asked_as(9);
  world.call(std::move(request));
  world.runner.take();
  world.runner.say(on_one_line(kQuestion));
  world.runner.exit(1);
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt);
  world.executor->answer({}, "pay", 9, Decision::kRespond, Payload::of(R"({"size":"L"})"));
}

}  // namespace
}  // namespace perdure
