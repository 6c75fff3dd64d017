// Submission, reading, listing, ending and waiting.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "api/world.h"

namespace perdure::api::test {
namespace {

TEST(Tasks, ASubmissionIsAnsweredWithTheTask) {
  World world;
  const Answer answer = world.post(
      "/v1/tasks",
      R"({"agent":"sleeper","input":"zzz","metadata":{"team":"blue"},"budget":{"cost_usd":0.5}})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.header("location"), "/v1/tasks/" + answer.text("/id"));
  EXPECT_EQ(answer.header("retry-after"), "1");
  EXPECT_EQ(answer.text("/status"), "pending");
  EXPECT_EQ(answer.text("/metadata/team"), "blue");
  EXPECT_NE(answer.body.find("\"budget\":{\"cost_usd\":0.5,\"model_calls\":null,\"tool_calls\":10"),
            std::string::npos)
      << answer.body;
  const Answer read = world.get(answer.header("location"));
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.text("/status"), "working");
  EXPECT_EQ(read.text("/waiting_for/0/kind"), "timer");
  EXPECT_EQ(read.text("/created_at"), answer.text("/created_at"));
  json::value before = answer.json();
  json::value after = read.json();
  for (const char* changed : {"status", "waiting_for", "updated_at"}) {
    before.get_object().erase(changed);
    after.get_object().erase(changed);
  }
  EXPECT_EQ(before, after);
}

TEST(Tasks, TheEndCarriesResultAndUsage) {
  World world;
  const Answer task = world.get("/v1/tasks/" + world.submit("lookup", R"({"q":[1,2.5]})"));
  EXPECT_EQ(task.text("/status"), "completed");
  EXPECT_EQ(task.text("/stop_reason"), "end_turn");
  EXPECT_NE(task.body.find(R"("result":{"q":[1,2.5]})"), std::string::npos) << task.body;
  EXPECT_EQ(task.number("/usage/tool_calls"), 1);
  EXPECT_NE(task.body.find("\"cost_usd\":0.12,"), std::string::npos) << task.body;
}

TEST(Tasks, LargeInputsAndResultsStandInTheBlobStore) {
  World world;
  const std::string large(400'000, 'x');
  const std::string id = world.submit("echo", "\"" + large + "\"");
  EXPECT_EQ(world.get("/v1/tasks/" + id).text("/result"), large);
  EXPECT_LT(world.store.dump().size(), 10'000u);
}

TEST(Tasks, UsageIsThatOfTheJournalWhileATaskRuns) {
  World world;
  world.executor.hold = true;
  const std::string id = world.submit("lookup");
  ASSERT_EQ(world.executor.held.size(), 1u);
  EXPECT_EQ(world.get("/v1/tasks/" + id).number("/usage/tool_calls"), 0);
  SettleStep outcome = AnsweringExecutor::success(world.executor.held[0].first);
  world.executor.held[0].second(std::move(outcome));
  world.settle();
  EXPECT_EQ(world.get("/v1/tasks/" + id).number("/usage/tool_calls"), 1);
}

TEST(Tasks, ALongJournalIsShownByItsRowAndItsEdges) {
  World world({.fold_bytes_max = 0});
  const std::string id = world.submit("echo", "\"short\"");
  const Answer task = world.get("/v1/tasks/" + id);
  EXPECT_EQ(task.text("/status"), "completed");
  EXPECT_EQ(task.text("/result"), "short");
  EXPECT_EQ(task.number("/budget/tool_calls"), 10);
}

struct BadBody {
  std::string body;
  int status;
  std::string code;
  std::string says;
};

TEST(Tasks, BadSubmissionsAreRefusedAndSayWhy) {
  World world;
  const std::string big(17'000, 'm');
  const std::string deep = std::string(80, '[') + std::string(80, ']');
  std::string wide = R"({"agent":"echo","input":{)";
  for (int i = 0; i <= 20'000; ++i) wide += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":0";
  const BadBody cases[] = {
      {"{", 400, "invalid_json", "not JSON"},
      {"[]", 422, "invalid_request", "expected an object"},
      {"", 422, "invalid_request", "agent: is missing"},
      {R"({"agent":"echo"})", 422, "invalid_request", "input: is missing"},
      {R"({"agent":"ecko","input":1})", 422, "unknown_agent", "did you mean 'echo'?"},
      {R"({"agent":"echo","input":1,"inptu":2})", 422, "invalid_request", "did you mean 'input'?"},
      {R"({"agent":"echo","agent":"echo","input":1})", 400, "invalid_json", "same name"},
      {R"({"agent":"echo","input":1,"metadata":[]})", 422, "invalid_request", "an object"},
      {R"({"agent":"echo","input":1,"metadata":{"m":")" + big + "\"}}", 413, "too_large",
       "metadata"},
      {R"({"agent":"echo","input":)" + deep + "}", 400, "invalid_json", ""},
      {wide + "}}", 400, "invalid_json", "more than 20000 members"},
      {R"({"agent":"echo","input":1,"budget":{"cost_usd":3}})", 422, "invalid_request",
       "budget.cost_usd: more than"},
      {R"({"agent":"echo","input":1,"budget":{"tool_calls":11}})", 422, "invalid_request",
       "budget.tool_calls: more than"},
      {R"({"agent":"echo","input":1,"budget":{"cost_usd":-1}})", 422, "invalid_request", "outside"},
      {R"({"agent":"echo","input":1,"budget":{"coost_usd":1}})", 422, "invalid_request",
       "did you mean 'cost_usd'?"},
  };
  for (const BadBody& bad : cases) {
    const Answer answer = world.post("/v1/tasks", bad.body);
    EXPECT_EQ(answer.status, bad.status) << bad.body << "\n" << answer.body;
    EXPECT_EQ(answer.header("content-type"), "application/problem+json");
    EXPECT_EQ(answer.text("/code"), bad.code) << answer.body;
    EXPECT_EQ(answer.text("/type"), "urn:perdure:problem:" + bad.code);
    EXPECT_EQ(answer.number("/status"), bad.status);
    EXPECT_NE(answer.text("/detail").find(bad.says), std::string::npos) << answer.body;
  }
  EXPECT_EQ(world.get("/v1/tasks").json().at("tasks").get_array().size(), 0u);
}

TEST(Idempotency, TheSameKeyAndBodyAreTheSameTask) {
  World world;
  const auto submit = [&](const std::string& key, const std::string& body) {
    return world.ask({.method = "POST",
                      .target = "/v1/tasks",
                      .body = body,
                      .headers = {{"idempotency-key", key}}});
  };
  const Answer first = submit("\"a b\"", R"({"agent":"echo","input":[1,2]})");
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(first.header("idempotency-replayed"), "");
  const Answer again = submit("a b", R"({ "input":[1, 2],"agent":"echo"})");
  EXPECT_EQ(again.status, 202) << "the bare and the quoted key are one, and so are equal values";
  EXPECT_EQ(again.text("/id"), first.text("/id"));
  EXPECT_EQ(again.header("idempotency-replayed"), "true");
  EXPECT_EQ(again.text("/status"), "completed");
  const Answer other = submit("a b", R"({"agent":"echo","input":[1,3]})");
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.text("/code"), "idempotency_key_reused");
  const Answer foreign = world.ask({.method = "POST",
                                    .target = "/v1/tasks",
                                    .body = R"({"agent":"echo","input":[1,3]})",
                                    .headers = {{"idempotency-key", "a b"}},
                                    .token = "stranger"});
  EXPECT_EQ(foreign.status, 202) << "another tenant's keys are its own";
  for (const std::string& bad : {std::string(), std::string("\"open"), std::string(256, 'k'),
                                 std::string("tab\t"), std::string("\"bad\\n\"")}) {
    EXPECT_EQ(submit(bad, R"({"agent":"echo","input":1})").status, 400) << bad;
  }
  EXPECT_EQ(submit(std::string(255, 'k'), R"({"agent":"echo","input":1})").status, 202);
}

TEST(Idempotency, TwoHundredEqualSubmissionsAtOnceAreOneTask) {
  World world;
  constexpr size_t kThreads = 4;
  constexpr size_t kEach = 50;
  std::vector<std::shared_ptr<Recorder>> recorders(kThreads * kEach);
  std::atomic<size_t> sent{0};
  {
    std::vector<std::jthread> clients;
    for (size_t t = 0; t < kThreads; ++t) {
      clients.emplace_back([&, t] {
        for (size_t i = 0; i < kEach; ++i, ++sent) {
          recorders[t * kEach + i] = world.start({.method = "POST",
                                                  .target = "/v1/tasks",
                                                  .body = R"({"agent":"sleeper","input":1})",
                                                  .headers = {{"idempotency-key", "once"}}});
        }
      });
    }
    while (sent < recorders.size()) world.step();
  }
  world.settle();
  std::set<std::string> ids;
  size_t replayed = 0;
  for (const auto& recorder : recorders) {
    const Answer answer = World::answer_of(*recorder);
    ASSERT_EQ(answer.status, 202) << answer.body;
    ids.insert(answer.text("/id"));
    replayed += answer.header("idempotency-replayed") == "true";
  }
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(replayed, recorders.size() - 1);
  EXPECT_EQ(world.get("/v1/tasks").json().at("tasks").get_array().size(), 1u);
}

TEST(Waiting, PreferWaitHoldsTheAnswerUntilTheEnd) {
  World world;
  const auto submit = [&](const std::string& agent, const std::string& prefer) {
    return world.start({.method = "POST",
                        .target = "/v1/tasks",
                        .body = R"({"agent":")" + agent + R"(","input":7})",
                        .headers = {{"prefer", prefer}}});
  };
  const auto quick = submit("echo", "wait=10");
  world.settle();
  EXPECT_EQ(World::answer_of(*quick).status, 200);
  EXPECT_EQ(World::answer_of(*quick).number("/result"), 7);
  EXPECT_EQ(World::answer_of(*quick).header("preference-applied"), "wait=10");
  const auto async = submit("echo", "respond-async, wait=10");
  world.settle();
  EXPECT_EQ(World::answer_of(*async).status, 202);
  EXPECT_EQ(World::answer_of(*async).header("preference-applied"), "respond-async");

  const auto zero = submit("echo", "wait=0");
  world.settle();
  EXPECT_EQ(World::answer_of(*zero).status, 202);

  const auto slow = submit("sleeper", "wait=\"10\"");
  world.pass(9'999);
  EXPECT_FALSE(slow->response);
  world.pass(1);
  EXPECT_EQ(World::answer_of(*slow).status, 202);
  EXPECT_EQ(World::answer_of(*slow).text("/status"), "working");

  const auto capped = submit("sleeper", "wait=3600");
  world.pass(59'999);
  EXPECT_FALSE(capped->response);
  world.pass(1);
  ASSERT_TRUE(capped->response);
  EXPECT_EQ(world.timers.pending(), 0u);
}

TEST(Waiting, ALongPollEndsWithTheTaskWithAQuestionOrInTime) {
  World world;
  const std::string sleeper = world.submit("sleeper");
  const auto poll = world.start({.target = "/v1/tasks/" + sleeper + "?wait=30"});
  world.pass(29'999);
  EXPECT_FALSE(poll->response);
  world.pass(1);
  EXPECT_EQ(World::answer_of(*poll).text("/status"), "working");
  const auto second = world.start({.target = "/v1/tasks/" + sleeper + "?wait=60"});
  world.pass(30'000);
  EXPECT_EQ(World::answer_of(*second).text("/status"), "completed");

  world.executor.hold = true;
  const std::string payer = world.submit("payer");
  const Answer asked = world.get("/v1/tasks/" + payer + "?wait=30");
  EXPECT_EQ(asked.text("/status"), "input_required") << "a question needs the client at once";
  const auto unchanged = world.start({.target = "/v1/tasks/" + payer + "?wait=30",
                                      .headers = {{"if-none-match", asked.header("etag")}}});
  world.pass(29'000);
  EXPECT_FALSE(unchanged->response) << "the client knows this question";
  world.pass(1'000);
  EXPECT_EQ(World::answer_of(*unchanged).status, 304);
  EXPECT_NE(world.get("/metrics").body.find("perdure_held_requests 0\n"), std::string::npos);
}

TEST(Waiting, AClientThatHasGoneLeavesNothingBehind) {
  World world;
  const std::string id = world.submit("sleeper");
  const auto poll = world.start({.target = "/v1/tasks/" + id + "?wait=30"});
  world.settle();
  EXPECT_NE(world.get("/metrics").body.find("perdure_held_requests 1\n"), std::string::npos);
  poll->disconnect();
  EXPECT_NE(world.get("/metrics").body.find("perdure_held_requests 0\n"), std::string::npos);
  EXPECT_EQ(world.timers.pending(), 0u);
}

TEST(Waiting, BeyondTheLimitAnswersComeAtOnce) {
  World world({.waits_max = 1});
  const std::string id = world.submit("sleeper");
  const auto first = world.start({.target = "/v1/tasks/" + id + "?wait=30"});
  const auto second = world.start({.target = "/v1/tasks/" + id + "?wait=30"});
  world.settle();
  EXPECT_FALSE(first->response);
  EXPECT_EQ(World::answer_of(*second).status, 200);
}

TEST(Tasks, AnEtagSavesTheBody) {
  World world;
  const std::string target = "/v1/tasks/" + world.submit("sleeper");
  const std::string etag = world.get(target).header("etag");
  const Ask again{.target = target, .headers = {{"if-none-match", etag}}};
  EXPECT_EQ(world.ask(again).status, 304);
  EXPECT_EQ(world.ask(again).body, "");
  world.pass(60'000);
  EXPECT_EQ(world.ask(again).status, 200);
}

TEST(Tasks, ListsArePagedNewestFirstAndFiltered) {
  World world;
  std::vector<std::string> ids;
  for (int i = 0; i < 7; ++i) {
    ids.insert(ids.begin(), world.submit(i % 2 == 0 ? "echo" : "sleeper"));
    world.pass(2);
  }
  world.ask({.method = "POST",
             .target = "/v1/tasks",
             .body = R"({"agent":"echo","input":1})",
             .token = "stranger"});
  std::vector<std::string> listed;
  std::string cursor;
  do {
    const Answer page =
        world.get("/v1/tasks?limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_EQ(page.status, 200) << page.body;
    const json::value shown = page.json();
    for (const json::value& task : shown.at("tasks").get_array()) {
      listed.emplace_back(task.at("id").get_string());
    }
    cursor = shown.at("next_cursor").is_null() ? "" : page.text("/next_cursor");
  } while (!cursor.empty());
  EXPECT_EQ(listed, ids);
  const auto count = [&](const std::string& query) {
    return world.get("/v1/tasks?" + query).json().at("tasks").get_array().size();
  };
  EXPECT_EQ(count("status=completed"), 4u);
  EXPECT_EQ(count("status=working"), 3u);
  EXPECT_EQ(count("agent=sleeper&status=completed"), 0u);
  for (const char* bad : {"status=done", "limit=0", "limit=201", "cursor=x", "agnet=echo",
                          "limit=1&limit=2", "agent=%zz"}) {
    EXPECT_EQ(world.get(std::string("/v1/tasks?") + bad).status, 422) << bad;
  }
  EXPECT_NE(world.get("/v1/tasks?agnet=echo").text("/detail").find("did you mean 'agent'?"),
            std::string::npos);
}

TEST(Tasks, CancelEndsATaskOnceAndAckComesAfterTheEnd) {
  World world;
  const std::string target = "/v1/tasks/" + world.submit("sleeper");
  EXPECT_EQ(world.post(target + "/ack", "").status, 409);
  const Answer cancelled = world.post(target + "/cancel", R"({"reason":"not needed"})");
  EXPECT_EQ(cancelled.status, 200);
  EXPECT_EQ(cancelled.text("/status"), "cancelled");
  EXPECT_EQ(cancelled.text("/error/stop_reason"), "cancelled");
  EXPECT_EQ(cancelled.text("/error/message"), "not needed");
  EXPECT_EQ(world.post(target + "/cancel", "{}").status, 200) << "a repeat changes nothing";
  EXPECT_EQ(world.post(target + "/ack", "{}").status, 200);
  EXPECT_EQ(world.post(target + "/ack", "").status, 200);
  EXPECT_EQ(world.post(target + "/cancel", R"({"raeson":"x"})").status, 422);
  const std::string done = "/v1/tasks/" + world.submit("echo");
  EXPECT_EQ(world.post(done + "/cancel", "").status, 409);
}

TEST(Tasks, DrainingRefusesNewWork) {
  World world;
  world.engine.drain();
  const Answer answer = world.post("/v1/tasks", R"({"agent":"echo","input":1})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("retry-after"), "1");
}

}  // namespace
}  // namespace perdure::api::test
