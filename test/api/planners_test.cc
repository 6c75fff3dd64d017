// Planners in other processes: hand-out, leases, answers.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "api/world.h"

namespace perdure::api::test {
namespace {

class PlannerTest : public testing::Test {
 protected:
  std::shared_ptr<Recorder> poll(int wait_s = 0, const std::string& token = "worker") {
    return world_.start({.method = "POST",
                         .target = kDoor + "/poll",
                         .body = fmt::format(R"({{"version":"v7","wait_s":{}}})", wait_s),
                         .token = token});
  }
  Answer polled(int wait_s = 0, const std::string& token = "worker") {
    const auto recorder = poll(wait_s, token);
    world_.settle();
    return World::answer_of(*recorder);
  }
  Answer turn(const std::string& task, int64_t number, int64_t upto_seq, const std::string& rest,
              const std::string& token = "worker") {
    return world_.ask({.method = "POST",
                       .target = kDoor + "/turns",
                       .body = fmt::format(R"({{"task":"{}","turn":{},"upto_seq":{},{}}})", task,
                                           number, upto_seq, rest),
                       .token = token});
  }
  std::string status(const std::string& task) {
    return world_.get("/v1/tasks/" + task).text("/status");
  }

  const std::string kDoor = "/v1/planners/outside-planner";
  const std::string kComplete = R"("planner_version":"v7","actions":[{"complete":{"ok":true}}])";
  World world_;
};

TEST_F(PlannerTest, APlanIsHandedOutAndItsAnswerTakenOnce) {
  EXPECT_EQ(polled().status, 204);
  const std::string task = world_.submit("outside", R"({"n":1})");
  const Answer plan = polled();
  EXPECT_EQ(plan.status, 200);
  EXPECT_EQ(plan.text("/plan/task"), task);
  EXPECT_EQ(plan.number("/plan/turn"), 1);
  EXPECT_EQ(plan.number("/plan/upto_seq"), 1);
  EXPECT_EQ(plan.number("/plan/input/json/n"), 1);
  EXPECT_EQ(plan.text("/plan/records/0/type"), "task_created");
  EXPECT_EQ(plan.number("/lease_s"), 60);
  EXPECT_EQ(polled().status, 204) << "it is leased";
  const std::string call =
      R"("planner_version":"v7","state":{"at":1},"actions":[{"call":{"step":"s1","name":"look"}}])";
  const Answer accepted = turn(task, 1, 1, call);
  EXPECT_EQ(accepted.status, 200);
  EXPECT_EQ(accepted.body, R"({"accepted":true,"repeated":false})");
  EXPECT_EQ(turn(task, 1, 1, call).body, R"({"accepted":true,"repeated":true})");
  const Answer stale = turn(task, 1, 1, kComplete);
  EXPECT_EQ(stale.status, 409);
  EXPECT_EQ(stale.text("/code"), "stale_turn");
  const Answer next = polled();
  EXPECT_EQ(next.number("/plan/turn"), 2);
  EXPECT_EQ(next.number("/plan/after_seq"), 1);
  EXPECT_EQ(next.number("/plan/state/at"), 1);
  EXPECT_EQ(next.text("/plan/records/0/type"), "turn_accepted");
  EXPECT_EQ(turn(task, 2, next.number("/plan/upto_seq"), kComplete).status, 200);
  EXPECT_EQ(status(task), "completed");
  EXPECT_EQ(world_.timers.pending(), 0u) << "no lease is left";
}

TEST_F(PlannerTest, APollWaitsForWork) {
  const auto waiting = poll(20);
  world_.pass(19'000);
  EXPECT_FALSE(waiting->response);
  const std::string task = world_.submit("outside");
  ASSERT_TRUE(waiting->response);
  EXPECT_EQ(World::answer_of(*waiting).text("/plan/task"), task);
  const auto empty = poll(20);
  world_.pass(20'000);
  EXPECT_EQ(World::answer_of(*empty).status, 204);
  EXPECT_EQ(World::answer_of(*empty).body, "");
}

TEST_F(PlannerTest, APlanWaitsWithoutALeaseAndALeaseEnds) {
  const std::string task = world_.submit("outside");
  world_.pass(3'600'000);
  const Answer plan = polled();
  EXPECT_EQ(plan.number("/plan/attempt"), 1) << "nobody was late";
  world_.pass(59'999);
  EXPECT_EQ(polled().status, 204);
  const auto waiting = poll(60);
  world_.pass(10'000);
  const Answer again = World::answer_of(*waiting);
  ASSERT_EQ(again.status, 200);
  EXPECT_EQ(again.number("/plan/attempt"), 2);
  EXPECT_EQ(turn(task, 1, 1, kComplete).status, 409) << "the first plan is stale now";
  const Answer journal = world_.get("/v1/tasks/" + task + "/journal");
  EXPECT_EQ(journal.text("/records/1/reason"),
            "planner 'outside-planner' (version v7) did not answer within 60 s");
  EXPECT_EQ(turn(task, 1, again.number("/plan/upto_seq"), kComplete).status, 200);
  EXPECT_EQ(status(task), "completed");
}

TEST_F(PlannerTest, AnAnswerIsTakenWhenTheLeaseIsUnknown) {
  const std::string task = world_.submit("outside");
  EXPECT_EQ(turn(task, 1, 1, kComplete).status, 200) << "as after a restart of the server";
  EXPECT_EQ(status(task), "completed");
}

TEST_F(PlannerTest, TheServersOwnPlannersHaveNoDoor) {
  for (const std::string name : {"agent", "script"}) {
    for (const std::string door : {"/poll", "/turns"}) {
      const Answer answer = world_.ask({.method = "POST",
                                        .target = "/v1/planners/" + name + door,
                                        .body = R"({"version":"v7"})",
                                        .token = "worker"});
      EXPECT_EQ(answer.status, 403) << name << door << answer.body;
    }
  }
}

TEST_F(PlannerTest, APlannerCanSayThatItFailed) {
  const std::string task = world_.submit("outside");
  polled();
  EXPECT_EQ(turn(task, 1, 1, R"("error":"model is down")").status, 200);
  const auto waiting = poll(60);
  world_.pass(60'000);
  EXPECT_EQ(World::answer_of(*waiting).number("/plan/attempt"), 2);
}

TEST_F(PlannerTest, MalformedAnswersSayWhere) {
  const std::string task = world_.submit("outside");
  polled();
  const Answer unknown =
      turn(task, 1, 1, R"("planner_version":"v7","actions":[{"call":{"step":"s","nmae":"x"}}])");
  EXPECT_EQ(unknown.status, 422);
  EXPECT_EQ(unknown.text("/code"), "malformed_turn");
  EXPECT_NE(unknown.text("/detail").find("actions[0].call"), std::string::npos);
  EXPECT_EQ(turn(task, 1, 1, kComplete).status, 200) << "the turn is still open";
  EXPECT_EQ(world_.post(kDoor + "/turns", "[").status, 400);
  EXPECT_EQ(world_.post(kDoor + "/poll", "{}").status, 422);
  EXPECT_EQ(world_.post(kDoor + "/poll", R"({"version":"1","wiat_s":1})").status, 422);
}

TEST_F(PlannerTest, WhatTheCoreRefusesIsARejectedTurn) {
  const std::string task = world_.submit("outside");
  polled();
  const Answer refused =
      turn(task, 1, 1,
           R"("planner_version":"v7","actions":[{"call":{"step":"s","name":"a"}},)"
           R"({"call":{"step":"s","name":"a"}}])");
  EXPECT_EQ(refused.status, 422) << refused.body;
  const auto waiting = poll(60);
  world_.pass(60'000);
  EXPECT_EQ(World::answer_of(*waiting).number("/plan/attempt"), 2);
}

TEST_F(PlannerTest, PlansGoToTheirTenantsPlannersOnly) {
  const auto stranger = poll(60, "stranger");
  const std::string task = world_.submit("outside");
  EXPECT_FALSE(stranger->response);
  EXPECT_EQ(turn(task, 1, 1, kComplete, "stranger").status, 404);
  EXPECT_EQ(polled().text("/plan/task"), task);
  EXPECT_EQ(turn(task, 1, 1, kComplete, "stranger").status, 404);
  const std::string echo = world_.submit("sleeper");
  EXPECT_EQ(turn(echo, 1, 1, kComplete).status, 404) << "another planner's task";
}

TEST_F(PlannerTest, APollerThatHasGoneIsPassedOver) {
  const auto gone = poll(60);
  const auto stays = poll(60);
  gone->disconnect();
  const std::string task = world_.submit("outside");
  EXPECT_FALSE(gone->response);
  EXPECT_EQ(World::answer_of(*stays).text("/plan/task"), task);
}

TEST_F(PlannerTest, APlanThatWasOnItsWayToAPollerThatLeftGoesToTheNext) {
  const std::string task = world_.submit("outside");
  const auto gone = poll(60);  // matched; delivered by the next timer
  gone->disconnect();
  world_.settle();
  EXPECT_EQ(polled().text("/plan/task"), task);
}

TEST_F(PlannerTest, NewNamesAndQueuesAreBounded) {
  World small({}, {.waiting_max = 1, .names_max = 2});
  const auto at = [&](const std::string& name) {
    return small.post("/v1/planners/" + name + "/poll", R"({"version":"1"})").status;
  };
  EXPECT_EQ(at("b%20b"), 204);
  EXPECT_EQ(at("c"), 422);
  EXPECT_EQ(at("%zz"), 404);
  const std::string first = small.submit("outside");
  const std::string second = small.submit("outside");
  const Answer journal = small.get("/v1/tasks/" + second + "/journal");
  EXPECT_EQ(journal.text("/records/1/type"), "turn_rejected");
  EXPECT_EQ(
      small.post("/v1/planners/outside-planner/poll", R"({"version":"1"})").text("/plan/task"),
      first);
}

TEST_F(PlannerTest, LargeStatesAreKeptForTheirTenant) {
  const std::string task = world_.submit("outside");
  polled();
  const std::string large(300'000, 's');
  EXPECT_EQ(
      turn(task, 1, 1, R"("planner_version":"v7","more":true,"state":")" + large + "\"").status,
      200);
  EXPECT_EQ(polled().text("/plan/state"), large);
}

}  // namespace
}  // namespace perdure::api::test
