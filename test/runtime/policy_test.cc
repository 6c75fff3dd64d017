// What the operator's rules make of the calls of a turn.
#include "runtime/policy.h"

#include <gtest/gtest.h>

#include "fakes/no_blobs.h"

namespace perdure::runtime {
namespace {

CallAction judged(CallAction call, const Models& models = {}, const ToolRouter& tools = {}) {
  test::NoBlobs blobs;
  AgentVersions versions(blobs);
  AnswerTurn turn;
  turn.actions.emplace_back(std::move(call));
  EXPECT_TRUE(ContractPolicy(models, tools, {}, versions).judge("", turn));
  return std::get<CallAction>(turn.actions[0]);
}

// What a planner says it ran itself is taken down, and must be of a kind that may run there.
TEST(ContractPolicyTest, AModelCallThatAPlannerRanIsARepeat) {
  CallAction call;
  call.kind = CallKind::kModel;
  call.executed_by = ExecutedBy::kPlanner;
  Models models;
  models["known"];
  for (const char* name : {"known", "its own"}) {
    call.name = name;
    EXPECT_EQ(judged(call, models).contract.effect, EffectClass::kRepeat) << name;
  }
}

TEST(ContractPolicyTest, ALoopMayAskForFewerAttemptsThanTheOperatorAndNotForMore) {
  Models models;
  models["main"].contract.max_attempts = 20;
  CallAction call;
  call.kind = CallKind::kModel;
  call.name = "main";
  for (const auto& [wish, got] : {std::pair{0u, 20u}, {5u, 5u}, {21u, 20u}}) {
    call.attempts_max = wish;
    EXPECT_EQ(judged(call, models).contract.max_attempts, got);
  }
}

TEST(ContractPolicyTest, WhatIsNotConfiguredIsDenied) {
  CallAction call;
  call.name = "unknown";
  for (const CallKind kind : {CallKind::kModel, CallKind::kTool}) {
    call.kind = kind;
    EXPECT_EQ(judged(call).verdict, Verdict::kDeny);
  }
}

// An agent's own "always ask" is in its file: unread, nothing may be sent.
TEST(ContractPolicyTest, AnAgentThatCannotBeReadSendsNothing) {
  test::NoBlobs blobs;
  AgentVersions versions(blobs);
  AnswerTurn turn;
  turn.actions.emplace_back(CallAction{});
  const Models models;
  const ToolRouter tools;
  const Status judged =
      ContractPolicy(models, tools, {}, versions).judge(std::string(64, 'a'), turn);
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().code, Code::kCorrupt);
}

}  // namespace
}  // namespace perdure::runtime
