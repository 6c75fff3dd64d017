// The inbox and its answers.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "api/world.h"

namespace perdure::api::test {
namespace {

class InterruptTest : public testing::Test {
 protected:
  std::string ask_person() {
    task_ = world_.submit("payer");
    id_ = world_.get("/v1/interrupts").text("/interrupts/0/id");
    return "/v1/interrupts/" + id_;
  }
  Answer resolve(const std::string& body, const std::string& token = "all") {
    return world_.ask({.method = "POST",
                       .target = "/v1/interrupts/" + id_ + "/resolve",
                       .body = body,
                       .token = token});
  }

  // The call that is held was sent, and nobody knows what came of it.
  CallRequest lose_answer() {
    auto [request, done] = std::move(world_.executor.held.at(0));
    SettleStep lost;
    lost.step = request.send.step;
    lost.attempt = 1;
    lost.outcome = Outcome::kInDoubt;
    lost.failure = FailureClass::kAmbiguous;
    done(std::move(lost));
    world_.settle();
    return request;
  }

  World world_;
  std::string task_, id_;
};

TEST_F(InterruptTest, TheInboxSaysWhatIsAskedAndHowToAnswer) {
  const std::string target = ask_person();
  const Answer shown = world_.get(target);
  EXPECT_EQ(shown.text("/id"), id_);
  EXPECT_EQ(shown.text("/task"), task_);
  EXPECT_EQ(shown.text("/status"), "open");
  EXPECT_EQ(shown.text("/reason"), "tool_approval");
  EXPECT_EQ(shown.text("/action/tool"), "pay");
  EXPECT_EQ(shown.number("/action/args/order"), 42);
  EXPECT_EQ(shown.text("/action/args_sha256").size(), 64u);
  EXPECT_EQ(shown.text("/action/key").size(), 32u);
  EXPECT_EQ(shown.text("/allowed_decisions/1"), "edit");
  EXPECT_EQ(shown.text("/answers/1/command"), "perdure edit " + id_);
  EXPECT_EQ(shown.text("/allowed_decisions/2"), "reject");
  EXPECT_EQ(shown.text("/answers/3/command"), "perdure answer " + id_ + " 'TEXT'");
  EXPECT_EQ(shown.text("/answers/0/command"), "perdure approve " + id_);
  EXPECT_EQ(shown.text("/answers/0/request"), "POST " + target + "/resolve");
  const json::value inbox = world_.get("/v1/interrupts").json();
  EXPECT_EQ(inbox.at("interrupts").get_array().at(0), shown.json());
  EXPECT_EQ(world_.get("/v1/tasks/" + task_).text("/waiting_for/0/id"), id_);
}

TEST_F(InterruptTest, TheShownKeyIsTheOneThatIsSent) {
  const std::string target = ask_person();
  world_.executor.hold = true;
  const std::string key = world_.get(target).text("/action/key");
  EXPECT_EQ(resolve(R"({"decision":"approve"})").status, 200);
  ASSERT_EQ(world_.executor.held.size(), 1u);
  EXPECT_EQ(world_.executor.held[0].first.key, key);
}

TEST_F(InterruptTest, EditedArgumentsAreSent) {
  const std::string target = ask_person();
  world_.executor.hold = true;
  EXPECT_EQ(resolve(R"({"decision":"edit"})").status, 422);
  EXPECT_EQ(resolve(R"({"decision":"approve","args":{"order":7}})").status, 422);
  EXPECT_EQ(resolve(R"({"decision":"edit","args":{"order":7}})").status, 200);
  ASSERT_EQ(world_.executor.held.size(), 1u);
  EXPECT_EQ(world_.executor.held[0].first.send.args.view(), R"({"order":7})");
  const Answer shown = world_.get(target);
  EXPECT_EQ(shown.text("/decision"), "edit");
  EXPECT_EQ(shown.number("/given/order"), 7);
  EXPECT_EQ(shown.number("/action/args/order"), 42) << "what was asked about";
}

TEST_F(InterruptTest, AnAnswerInPlaceOfTheCall) {
  const std::string target = ask_person();
  EXPECT_EQ(resolve(R"({"decision":"respond"})").status, 422);
  EXPECT_EQ(resolve(R"({"decision":"respond","message":"no","value":1})").status, 422);
  EXPECT_EQ(resolve(R"({"decision":"respond","message":"paid by hand"})").status, 200);
  EXPECT_EQ(world_.get(target).text("/given"), "paid by hand");
}

TEST_F(InterruptTest, TheFirstDecisionStands) {
  const std::string target = ask_person();
  const Answer first = resolve(R"({"decision":"approve","message":"fine"})", "approver");
  EXPECT_EQ(first.status, 200);
  EXPECT_FALSE(first.json().at("repeated").get_bool());
  const Answer again = resolve(R"({"decision":"approve","message":"fine"})");
  EXPECT_EQ(again.status, 200);
  EXPECT_TRUE(again.json().at("repeated").get_bool());
  EXPECT_EQ(resolve(R"({"decision":"reject"})").status, 409);
  const Answer shown = world_.get(target);
  EXPECT_EQ(shown.text("/status"), "resolved");
  EXPECT_EQ(shown.text("/decision"), "approve");
  EXPECT_EQ(shown.text("/resolved_by"), "approver-person");
  EXPECT_EQ(world_.get("/v1/interrupts").json().at("interrupts").get_array().size(), 0u);
  EXPECT_EQ(world_.get("/v1/tasks/" + task_).text("/status"), "completed");
}

TEST_F(InterruptTest, ADecisionIsBoundToTheArguments) {
  const std::string hash = world_.get(ask_person()).text("/action/args_sha256");
  const std::string other(64, 'a');
  EXPECT_EQ(resolve(R"({"decision":"approve","args_sha256":")" + other + "\"}").status, 409);
  EXPECT_EQ(resolve(R"({"decision":"approve","args_sha256":")" + hash + "\"}").status, 200);
}

TEST_F(InterruptTest, WrongAnswersAreRefusedAndChangeNothing) {
  const std::string target = ask_person();
  for (const char* body :
       {"{}", R"({"decision":"yes"})", R"({"decision":"happened"})", R"({"decision":"dismiss"})",
        R"({"decision":"withdrawn"})", R"({"decision":"approve","args_sha256":"ab"})",
        R"({"decision":"reject","add":{"cost_usd":1}})", R"({"decision":"reject","remember":true})",
        R"({"decision":"approve","result":1})", R"({"decision":"approve","add":{"cost":1}})",
        R"({"decision":"approve","decisoin":"approve"})"}) {
    EXPECT_EQ(resolve(body).status, 422) << body;
  }
  EXPECT_EQ(resolve("{").status, 400);
  EXPECT_EQ(world_.get(target).text("/status"), "open");
  EXPECT_EQ(world_.get("/v1/interrupts/int_0").status, 404);
  id_ = InterruptId{*TaskId::parse(task_), 1}.to_string();
  EXPECT_EQ(world_.get("/v1/interrupts/" + id_).status, 404);
  EXPECT_EQ(resolve(R"({"decision":"approve"})").status, 404);
}

TEST_F(InterruptTest, DoubtIsAnsweredWithWhatHappened) {
  world_.executor.hold = true;
  ask_person();
  EXPECT_EQ(resolve(R"({"decision":"approve"})").status, 200);
  const CallRequest request = lose_answer();
  const Answer inbox = world_.get("/v1/interrupts");
  id_ = inbox.text("/interrupts/0/id");
  EXPECT_EQ(inbox.text("/interrupts/0/reason"), "uncertain_outcome");
  EXPECT_EQ(inbox.text("/interrupts/0/action/key"), request.key);
  EXPECT_EQ(inbox.text("/interrupts/0/answers/0/command"), "perdure answer " + id_ + " happened");
  EXPECT_EQ(resolve(R"({"decision":"approve"})").status, 422);
  const Answer told = resolve(R"({"decision":"happened","result":{"refund":"r-1"}})");
  EXPECT_EQ(told.status, 200) << told.body;
  EXPECT_EQ(world_.get("/v1/tasks/" + task_).text("/status"), "completed");
}

TEST_F(InterruptTest, AQuestionThatCannotBeReadHidesNoOther) {
  const std::string lost = world_.submit("payer");
  world_.clock.now_us += 1'000'000;
  task_ = world_.submit("payer");
  id_ = world_.get("/v1/interrupts").text("/interrupts/1/id");
  const Answer whole = world_.get("/v1/interrupts");
  world_.store.old_rows = true;
  EXPECT_EQ(world_.get("/v1/interrupts").body, whole.body) << "the journal says the same";
  world_.store.damaged = TaskId::parse(lost);
  const Answer inbox = world_.get("/v1/interrupts");
  EXPECT_EQ(inbox.status, 200) << inbox.body;
  EXPECT_EQ(inbox.text("/interrupts/0/task"), lost);
  EXPECT_NE(inbox.text("/interrupts/0/message").find("cannot be shown"), std::string::npos);
  EXPECT_EQ(inbox.text("/interrupts/1/id"), id_);
}

TEST_F(InterruptTest, AClientThatWaitsForACancelledTaskHearsOfItsDoubt) {
  world_.executor.hold = true;
  ask_person();
  EXPECT_EQ(resolve(R"({"decision":"approve"})").status, 200);
  EXPECT_EQ(world_.post("/v1/tasks/" + task_ + "/cancel", "").status, 200);
  const auto poll = world_.start({.target = "/v1/tasks/" + task_ + "?wait=30"});
  world_.settle();
  EXPECT_FALSE(poll->response) << "nothing is asked yet";
  lose_answer();
  ASSERT_TRUE(poll->response);
  const Answer answer = World::answer_of(*poll);
  EXPECT_EQ(answer.text("/status"), "working");
  EXPECT_EQ(answer.text("/phase"), "cancelling");
  EXPECT_EQ(answer.text("/waiting_for/0/reason"), "uncertain_outcome");
}

TEST_F(InterruptTest, ABudgetIsRaisedByWhatIsMissing) {
  const Answer answer =
      world_.post("/v1/tasks", R"({"agent":"lookup","input":1,"budget":{"cost_usd":0.1}})");
  task_ = answer.text("/id");
  const Answer inbox = world_.get("/v1/interrupts");
  id_ = inbox.text("/interrupts/0/id");
  EXPECT_EQ(inbox.text("/interrupts/0/reason"), "budget_reached");
  EXPECT_NE(inbox.body.find("\"needed\":{\"cost_usd\":0.25,"), std::string::npos) << inbox.body;
  EXPECT_EQ(resolve(R"({"decision":"approve"})").status, 422);
  EXPECT_EQ(resolve(R"({"decision":"approve","add":{"cost_usd":0.15}})").status, 200);
  const Answer task = world_.get("/v1/tasks/" + task_);
  EXPECT_EQ(task.text("/status"), "completed");
  EXPECT_NE(task.body.find("\"budget\":{\"cost_usd\":0.25,"), std::string::npos) << task.body;
}

TEST_F(InterruptTest, TheInboxIsPaged) {
  std::vector<std::string> tasks;
  for (int i = 0; i < 5; ++i) {
    tasks.push_back(world_.submit("payer"));
    world_.pass(2);
  }
  std::vector<std::string> seen;
  std::string query = "?limit=2";
  for (;;) {
    const Answer page = world_.get("/v1/interrupts" + query);
    const json::value shown = page.json();
    for (const json::value& one : shown.at("interrupts").get_array()) {
      seen.emplace_back(one.at("task").get_string());
    }
    if (shown.at("next_cursor").is_null()) break;
    query = "?limit=2&cursor=" + page.text("/next_cursor");
  }
  EXPECT_EQ(seen, tasks);
}

TEST(Journal, RecordsAreShownAndTheStateAtAnyOfThem) {
  World world;
  const std::string target = "/v1/tasks/" + world.submit("lookup");
  const Answer journal = world.get(target + "/journal?limit=4");
  EXPECT_EQ(journal.text("/records/0/type"), "task_created");
  EXPECT_EQ(journal.text("/records/3/type"), "step_intended");
  EXPECT_EQ(journal.number("/next_after"), 4);
  EXPECT_TRUE(journal.json().at("has_more").get_bool());
  const Answer rest = world.get(target + "/journal?after=4");
  EXPECT_EQ(rest.text("/records/0/type"), "step_settled");
  EXPECT_EQ(rest.text("/records/2/result/json"), "hello");
  EXPECT_FALSE(rest.json().at("has_more").get_bool());
  const Answer normalised = world.get(target + "/journal?normalised=true");
  EXPECT_EQ(normalised.body.find("\"seq\""), std::string::npos);

  const Answer open = world.get(target + "/state?at=4");
  EXPECT_EQ(open.number("/at"), 4);
  EXPECT_EQ(open.text("/status"), "working");
  EXPECT_EQ(open.text("/state/open/call-1/state"), "intent");
  const Answer now = world.get(target + "/state");
  EXPECT_EQ(now.number("/at"), 7);
  EXPECT_EQ(now.text("/status"), "completed");
  EXPECT_EQ(now.text("/state/closed/call-1/state"), "succeeded");
  EXPECT_EQ(world.get(target + "/state?at=8").status, 422);
  EXPECT_EQ(world.get(target + "/state?at=0").status, 422);
}

}  // namespace
}  // namespace perdure::api::test
