#include "journal/turn_json.h"

#include <gtest/gtest.h>

#include "journal/answer_hash.h"

namespace perdure {
namespace {

const TaskId kTask = TaskId::make(1'700'000'000'000, 1, 2);

Result<RemoteTurn> read(const std::string& rest) {
  const std::string text = R"({"task":")" + kTask.to_string() + R"(","turn":3,"upto_seq":9)" +
                           (rest.empty() ? "" : ",") + rest + "}";
  const auto body = parse_json(text, "body", kTurnJsonLimits);
  EXPECT_TRUE(body) << body.error().message << text;
  return remote_turn_from_json(*body);
}

Result<RemoteTurn> read_actions(const std::string& actions) {
  return read(R"("planner_version":"v","actions":)" + actions);
}

TEST(TurnJson, ReadsEveryAction) {
  const auto read_turn = read(R"("planner_version":"py/7","state":{"b":1,"a":1.5},"guarded":true,
      "more":false,"await":{"op":"all","of":[{"op":"step","name":"a"},{"op":"timer","name":"t"},
      {"op":"any","of":[{"op":"news"}]}]},"actions":[
      {"call":{"step":"a","name":"pay","args":{"y":[],"x":0.1}}},
      {"call":{"step":"b","kind":"model","name":"m","executor":"planner","outcome":"failed",
               "result":"no","detail":"timed out"}},
      {"timer":{"id":"t","after_ms":1000}},{"timer":{"id":"u","at_ms":1800000000000}},
      {"note":{"z":null}},{"complete":null}])");
  ASSERT_TRUE(read_turn) << read_turn.error().message;
  EXPECT_EQ(read_turn->task, kTask);
  const auto& turn = std::get<AnswerTurn>(read_turn->answer);
  EXPECT_EQ(turn.turn, 3u);
  EXPECT_EQ(turn.upto_seq, 9u);
  EXPECT_EQ(turn.planner_version, "py/7");
  EXPECT_TRUE(turn.guarded);
  EXPECT_EQ(turn.state.view(), R"({"a":1.5E0,"b":1})");
  EXPECT_EQ(turn.answer_hash, hash_answer(turn));
  ASSERT_EQ(turn.await.of.size(), 3u);
  EXPECT_EQ(turn.await.of[1].op, Await::Op::kTimer);
  EXPECT_EQ(turn.await.of[2].of[0].op, Await::Op::kNews);
  ASSERT_EQ(turn.actions.size(), 6u);
  const auto& first = std::get<CallAction>(turn.actions[0]);
  EXPECT_EQ(first.args.view(), R"({"x":1E-1,"y":[]})");
  EXPECT_EQ(first.kind, CallKind::kTool);
  EXPECT_FALSE(first.result.exists());
  const auto& second = std::get<CallAction>(turn.actions[1]);
  EXPECT_EQ(second.kind, CallKind::kModel);
  EXPECT_EQ(second.executed_by, ExecutedBy::kPlanner);
  EXPECT_EQ(second.outcome, Outcome::kFailed);
  EXPECT_EQ(second.result.view(), R"("no")");
  EXPECT_EQ(second.detail, "timed out");
  EXPECT_EQ(second.args.view(), "{}");
  EXPECT_EQ(std::get<TimerAction>(turn.actions[2]).after_ms, 1000);
  EXPECT_EQ(std::get<TimerAction>(turn.actions[3]).at_ms, 1'800'000'000'000);
  EXPECT_EQ(std::get<NoteAction>(turn.actions[4]).note.view(), R"({"z":null})");
  EXPECT_EQ(std::get<CompleteAction>(turn.actions[5]).result.view(), "null");
}

TEST(TurnJson, NullsAndAbsenceAreTheSame) {
  const auto one = read(R"("planner_version":"v","state":null,"await":null)");
  const auto other = read(R"("planner_version":"v","await":{"op":"news"},"actions":[])");
  ASSERT_TRUE(one && other);
  EXPECT_EQ(std::get<AnswerTurn>(one->answer).answer_hash,
            std::get<AnswerTurn>(other->answer).answer_hash);
  EXPECT_FALSE(std::get<AnswerTurn>(one->answer).state.exists());
}

TEST(TurnJson, ReadsWhyThereIsNone) {
  const auto turn = read(R"("error":"out of cheese")");
  ASSERT_TRUE(turn);
  const auto& rejection = std::get<RejectTurn>(turn->answer);
  EXPECT_EQ(rejection.turn, 3u);
  EXPECT_EQ(rejection.upto_seq, 9u);
  EXPECT_EQ(rejection.reason, "out of cheese");
  EXPECT_EQ(read(R"("error":"x","actions":[])").error().message, "turn.actions: unknown");
}

TEST(TurnJson, NamesThePlaceOfAnError) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([{}])", "actions[0]: expected one of call, timer, note, ask, interrupt, complete, fail"},
      {R"([{"note":1,"fail":{"message":"x"}}])",
       "actions[0]: expected one of call, timer, note, ask, interrupt, complete, fail"},
      {R"([5])", "actions[0]: expected an object, got a number"},
      {R"([{"note":1},{"cal":{}}])", "actions[1].cal: unknown; did you mean 'call'?"},
      {R"([{"call":{"step":"a"}}])", "actions[0].call.name: is missing"},
      {R"([{"call":{"step":"","name":"x"}}])", "actions[0].call.step: 0 bytes, expected 1 to 128"},
      {R"([{"call":{"step":"a","name":"x","kind":"shell"}}])",
       R"(actions[0].call.kind: expected one of "tool", "model")"},
      {R"([{"call":{"step":"a","name":"x","result":1}}])",
       "actions[0].call.result: only of a call whose executor is the planner"},
      {R"([{"call":{"step":"a","name":"x","verdict":"allow"}}])",
       "actions[0].call.verdict: unknown"},
      {R"([{"timer":{"id":"t","after_ms":1,"at_ms":1}}])",
       "actions[0].timer.after_ms: expected one of after_ms and at_ms"},
      {R"([{"timer":{"id":"t","at_ms":9223372036854775807}}])",
       "actions[0].timer.at_ms: 9223372036854775807 is outside 1 to 253402300799999"},
      {R"([{"fail":{}}])", "actions[0].fail.message: is missing"},
      {R"([{"complete":1},{"note":1}])", "actions[1]: stands behind the task's end"},
  };
  for (const auto& [actions, message] : cases) {
    const auto turn = read_actions(actions);
    ASSERT_FALSE(turn) << actions;
    EXPECT_EQ(turn.error().message, message);
  }
  EXPECT_EQ(read("").error().message, "turn.planner_version: is missing");
  EXPECT_EQ(read(R"("planner_version":"v","await":{"op":"any","of":[]})").error().message,
            "await.of: expected what to wait for");
  EXPECT_EQ(
      read(R"("planner_version":"v","await":{"op":"any","of":[{"op":"step"}]})").error().message,
      "await.of[0].name: is missing");
  EXPECT_EQ(read(R"("planner_version":"v","await":{})").error().message, "await.op: is missing");
  EXPECT_EQ(read(R"("planner_version":"v","more":true,"actions":[{"complete":1}])").error().message,
            "more: the task has ended");
  EXPECT_EQ(remote_turn_from_json(json::value(7)).error().message,
            "turn: expected an object, got a number");
  EXPECT_EQ(remote_turn_from_json(json::object{{"task", "task_x"}}).error().message,
            "turn.task: not the id of a task");
}

TEST(TurnJson, IsBounded) {
  std::string many = "[";
  for (size_t i = 0; i <= kActionsMax; ++i) many += i == 0 ? R"({"note":1})" : R"(,{"note":1})";
  EXPECT_EQ(read_actions(many + "]").error().code, Code::kTooLarge);
  const std::string note = R"({"note":")" + std::string(9u << 20, 'x') + R"("})";
  EXPECT_TRUE(read_actions("[" + note + "]"));
  EXPECT_EQ(read_actions("[" + note + "," + note + "]").error().code, Code::kTooLarge);
  std::string deep = R"({"op":"news"})";
  for (size_t i = 1; i < kAwaitMaxDepth; ++i) deep = R"({"op":"all","of":[)" + deep + "]}";
  EXPECT_TRUE(read(R"("planner_version":"v","await":)" + deep));
  EXPECT_EQ(read(R"("planner_version":"v","await":{"op":"any","of":[)" + deep + "]}").error().code,
            Code::kTooLarge);
}

TEST(TurnJson, WritesAPlanWithTheRecordsOfItsTurn) {
  std::vector<Record> news;
  for (Seq seq = 1; seq <= 6; ++seq) news.push_back({seq, 0, Noted{Payload::of("[1]")}});
  const Payload state = Payload::of(R"({"pc":1})");
  const Payload input = Payload::of(R"({"script":[]})");
  const auto plan = plan_to_json({.task = kTask,
                                  .plan = {.turn = 2, .upto_seq = 5, .attempt = 1},
                                  .after_seq = 3,
                                  .state = state,
                                  .input = input,
                                  .news = news});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->at("task").as_string(), kTask.to_string());
  EXPECT_EQ(to_json(plan->at("state")), R"({"pc":1})");
  EXPECT_EQ(to_json(plan->at("input").at("json")), R"({"script":[]})");
  ASSERT_EQ(plan->at("records").as_array().size(), 2u);
  EXPECT_EQ(plan->at("records").at(0).at("seq").to_number<int>(), 4);
  EXPECT_EQ(to_json(plan->at("records").at(1).at("note").at("json")), "[1]");
  const auto without = plan_to_json({.task = kTask,
                                     .plan = {},
                                     .after_seq = 0,
                                     .state = Payload::blob(sha256("x"), 9),
                                     .input = input,
                                     .news = {}});
  EXPECT_FALSE(without);
}

}  // namespace
}  // namespace perdure
