#include <gtest/gtest.h>

#include "base/json.h"
#include "journal/answer_hash.h"
#include "script/script.h"

namespace perdure {
namespace {

// Plays one script: the test says what is recorded between the turns.
class Play {
 public:
  explicit Play(std::string_view input) : script_(*Script::parse(input)) {}

  AnswerTurn turn() {
    const auto answered = answer(script_, turn_ + 1, seq_, state_, records_, after_seq_);
    EXPECT_TRUE(answered) << answered.error().message;
    ++turn_;
    after_seq_ = seq_;
    state_ = answered->state;
    return *answered;
  }
  Result<AnswerTurn> try_turn() {
    return answer(script_, turn_ + 1, seq_, state_, records_, after_seq_);
  }
  void record(RecordBody body) { records_.push_back({++seq_, 0, std::move(body)}); }
  void succeed(const StepId& step, const std::string& result) {
    record(StepSettled{.step = step,
                       .attempt = 1,
                       .outcome = Outcome::kSucceeded,
                       .failure = FailureClass::kNone,
                       .detail = "",
                       .retry_after_ms = 0,
                       .used = {},
                       .result = Payload::of(result)});
  }
  std::string_view state() const { return state_.view(); }

 private:
  Script script_;
  Payload state_;
  std::vector<Record> records_;
  uint64_t turn_ = 0;
  Seq seq_ = 1;
  Seq after_seq_ = 0;
};

template <class T>
const T& only(const AnswerTurn& turn) {
  EXPECT_EQ(turn.actions.size(), 1u);
  return std::get<T>(turn.actions.at(0));
}

std::string result_of(const AnswerTurn& turn) {
  return std::string(only<CompleteAction>(turn).result.view());
}

TEST(ScriptAnswer, CallsAwaitsAndUsesTheResult) {
  Play play(R"({"guarded":true,"script":[
      {"call":{"step":"a","tool":"payments","args":{"b":1,"a":[2.5]}}}, {"await":"a"},
      {"complete":{"got":{"$result":"a"},"raw":[{"$result":"a"}]}}]})");
  const AnswerTurn first = play.turn();
  const auto& call = only<CallAction>(first);
  EXPECT_EQ(call.step, "a");
  EXPECT_EQ(call.name, "payments");
  EXPECT_EQ(call.args.view(), R"({"a":[2.5E0],"b":1})");
  EXPECT_EQ(first.await.op, Await::Op::kStep);
  EXPECT_EQ(first.await.name, "a");
  EXPECT_TRUE(first.guarded);
  EXPECT_EQ(first.planner_version, "script/1");
  EXPECT_EQ(play.state(), R"({"i":0,"known":{},"pc":2})");
  play.succeed("a", R"({"z":1,"id":"x"})");
  EXPECT_EQ(result_of(play.turn()), R"({"got":{"id":"x","z":1},"raw":[{"id":"x","z":1}]})");
}

TEST(ScriptAnswer, EndsWithNull) {
  EXPECT_EQ(result_of(Play(R"({"script":[]})").turn()), "null");
}

TEST(ScriptAnswer, ResultsThatAreNotJsonAreStringsAndMissingOnesNull) {
  Play play(R"({"script":[{"call":{"step":"a","tool":"t"}},{"call":{"step":"b","tool":"t"}},
      {"await":"news"},{"complete":[{"$result":"a"},{"$result":"b"}]}]})");
  play.turn();
  play.succeed("a", "plain\ttext");
  EXPECT_EQ(result_of(play.turn()), R"(["plain\ttext",null])");
}

struct Ending {
  const char* name;
  RecordBody body;
  const char* expected;
};

TEST(ScriptAnswer, SeesHowAStepEnded) {
  const auto closed = [](EffectState state) { return StepClosed{"a", state, "", ""}; };
  const auto settled = [](Outcome outcome) {
    StepSettled body;
    body.step = "a";
    body.outcome = outcome;
    body.result = Payload::of("1");
    return body;
  };
  const Ending endings[] = {{"succeeded", settled(Outcome::kSucceeded), "succeeded"},
                            {"failed", settled(Outcome::kFailed), "failed"},
                            {"in doubt", settled(Outcome::kInDoubt), "none"},
                            {"deferred", settled(Outcome::kDeferred), "none"},
                            {"denied", closed(EffectState::kDenied), "denied"},
                            {"unknown", closed(EffectState::kUnknown), "unknown"},
                            {"same as", closed(EffectState::kSucceeded), "succeeded"},
                            {"asked", closed(EffectState::kNeedsHuman), "none"}};
  for (const Ending& ending : endings) {
    Play play(R"({"script":[{"call":{"step":"a","tool":"t"}},{"await":"news"},
        {"complete":"succeeded","if":{"step":"a","is":"succeeded"}},
        {"complete":"failed","if":{"step":"a","is":"failed"}},
        {"complete":"denied","if":{"step":"a","is":"denied"}},
        {"complete":"unknown","if":{"step":"a","is":"unknown"}},
        {"complete":"none"}]})");
    play.turn();
    play.record(ending.body);
    EXPECT_EQ(result_of(play.turn()), '"' + std::string(ending.expected) + '"') << ending.name;
  }
}

TEST(ScriptAnswer, SeesWhatAPersonDecidedAboutADoubt) {
  const std::pair<Decision, const char*> decisions[] = {
      {Decision::kHappened, R"(["yes"])"},
      {Decision::kNotHappened, R"("failed")"},
      {Decision::kDismiss, R"("unknown")"},
  };
  for (const auto& [decision, expected] : decisions) {
    Play play(R"({"script":[{"call":{"step":"a","tool":"t"}},{"await":"news"},{"await":"a"},
        {"complete":[{"$result":"a"}],"if":{"step":"a","is":"succeeded"}},
        {"complete":"failed","if":{"step":"a","is":"failed"}},
        {"complete":"unknown","if":{"step":"a","is":"unknown"}}]})");
    play.turn();
    InterruptRequested asked;
    asked.reason = InterruptReason::kUncertainOutcome;
    asked.step = "a";
    play.record(asked);
    play.turn();
    EXPECT_EQ(play.state(), R"({"asked":{"2":"a"},"i":0,"known":{},"pc":3})");
    InterruptResolved resolved;
    resolved.interrupt_seq = 2;
    resolved.decision = decision;
    if (decision == Decision::kHappened) resolved.given = Payload::of(R"("yes")");
    play.record(resolved);
    EXPECT_EQ(result_of(play.turn()), expected);
  }
}

TEST(ScriptAnswer, ComparesAResultAtAPointer) {
  const std::pair<const char*, bool> tests[] = {
      {R"("equals":{"n":[1,2.0,true]})", true}, {R"("at":"/n/0","equals":1)", true},
      {R"("at":"/n/0","equals":1.0)", false},   {R"("at":"/n/1","equals":2)", false},
      {R"("at":"/n/2","equals":1)", false},     {R"("at":"/n/2","equals":true)", true},
      {R"("at":"/n/7","equals":null)", false},  {R"("at":"/n/00","equals":1)", false},
      {R"("at":"/m","equals":null)", false},    {R"("at":"/n/0/x","equals":null)", false},
  };
  for (const auto& [test, expected] : tests) {
    Play play(R"({"script":[{"call":{"step":"a","tool":"t"}},{"await":"a"},
        {"complete":true,"if":{"step":"a","is":"succeeded",)" +
              std::string(test) + R"(}},{"complete":false}]})");
    play.turn();
    play.succeed("a", R"({"n":[1,2.0,true]})");
    EXPECT_EQ(result_of(play.turn()), expected ? "true" : "false") << test;
  }
}

TEST(ScriptAnswer, RepeatsWithASuffixAndAStateThatDoesNotGrow) {
  Play play(R"({"script":[{"call":{"step":"seed","tool":"t"}},{"await":"seed"},
      {"repeat":300,"do":[
        {"call":{"step":"a","tool":"t","args":{"seed":{"$result":"seed"}}}},
        {"timer":{"id":"t","after_ms":5}},
        {"await":{"any":["a",{"timer":"t"}]}},
        {"note":{"$result":"a"},"if":{"step":"a","is":"succeeded"}}]},
      {"complete":[{"$result":"a/299"},{"$result":"a/7"}]}]})");
  play.turn();
  play.succeed("seed", "42");
  size_t notes = 0;
  for (int i = 0; i < 300; ++i) {
    const AnswerTurn turn = play.turn();
    notes += turn.actions.size() == 3;
    const auto& call = std::get<CallAction>(turn.actions[turn.actions.size() - 2]);
    const std::string suffix = '/' + std::to_string(i);
    EXPECT_EQ(call.step, "a" + suffix);
    EXPECT_EQ(call.args.view(), R"({"seed":42})");
    EXPECT_EQ(std::get<TimerAction>(turn.actions.back()).timer, "t" + suffix);
    EXPECT_EQ(turn.await.of.at(0).name, "a" + suffix);
    EXPECT_EQ(turn.await.of.at(1).name, "t" + suffix);
    EXPECT_LE(play.state().size(), 90u) << play.state();
    play.succeed("a" + suffix, std::to_string(i));
  }
  EXPECT_EQ(notes, 299u);
  const AnswerTurn last = play.turn();
  EXPECT_EQ(std::get<NoteAction>(last.actions.at(0)).note.view(), "299");
  EXPECT_EQ(std::get<CompleteAction>(last.actions.at(1)).result.view(), "[299,7]");
}

TEST(ScriptAnswer, GoesOnInAnotherTurnWhenOneIsFull) {
  Play play(R"({"script":[{"repeat":1200,"do":[{"note":1}]},{"complete":7}]})");
  for (const size_t expected : {500u, 500u, 201u}) {
    const AnswerTurn turn = play.turn();
    EXPECT_EQ(turn.actions.size(), expected);
    EXPECT_EQ(turn.more, expected == 500);
  }
}

TEST(ScriptAnswer, ALoopThatDoesNothingIsCutIntoTurns) {
  Play play(R"({"script":[{"call":{"step":"a","tool":"t"}},
      {"repeat":20000,"do":[{"note":1,"if":{"step":"a","is":"denied"}}]}]})");
  int turns = 1;
  while (play.turn().more) ++turns;
  EXPECT_EQ(turns, 5);
}

TEST(ScriptAnswer, ReadsOnlyTheRecordsOfItsTurn) {
  const Script script = *Script::parse(R"({"script":[{"call":{"step":"a","tool":"t"}},
      {"complete":{"$result":"a"}}]})");
  std::vector<Record> news;
  for (const Seq seq : {4, 5, 6}) {
    StepSettled settled;
    settled.step = "a";
    settled.outcome = Outcome::kSucceeded;
    settled.result = Payload::of(std::to_string(seq));
    news.push_back({seq, 0, settled});
  }
  const auto turn = answer(script, 1, 5, {}, news, 4);
  ASSERT_TRUE(turn);
  EXPECT_EQ(std::get<CompleteAction>(turn->actions.at(1)).result.view(), "5");
}

TEST(ScriptAnswer, ACallOfThePlannerCarriesItsOutcome) {
  Play play(R"({"script":[{"call":{"step":"a","model":"m","executor":"planner",
      "outcome":"failed","result":null}}]})");
  const AnswerTurn turn = play.turn();
  const auto& call = std::get<CallAction>(turn.actions.at(0));
  EXPECT_EQ(call.kind, CallKind::kModel);
  EXPECT_EQ(call.executed_by, ExecutedBy::kPlanner);
  EXPECT_EQ(call.outcome, Outcome::kFailed);
  EXPECT_EQ(call.result.view(), "null");
}

TEST(ScriptAnswer, RefusesWhatItCannotKnow) {
  Play play(R"({"script":[{"call":{"step":"a","tool":"t"}},{"await":"a"},
      {"complete":{"$result":"a"}}]})");
  play.turn();
  StepSettled settled;
  settled.step = "a";
  settled.outcome = Outcome::kSucceeded;
  settled.result = Payload::blob(sha256("x"), 1 << 20);
  play.record(settled);
  const auto turn = play.try_turn();
  ASSERT_FALSE(turn);
  EXPECT_EQ(turn.error().message,
            "step 'a': the script needs its result, whose 1048576 bytes are not at hand");
}

TEST(ScriptAnswer, RefusesAStateThatIsNotIts) {
  const Script script = *Script::parse(R"({"script":[{"note":1}]})");
  for (const char* state :
       {"", "7", "{}", R"({"pc":9,"i":0,"known":{}})", R"({"pc":0,"i":-1,"known":{}})",
        R"({"pc":0,"i":0,"known":[]})", R"({"pc":0,"i":0,"known":{"a":[]}})",
        R"({"pc":0,"i":0,"known":{},"asked":{"1":2}})"}) {
    EXPECT_FALSE(answer(script, 1, 1, Payload::of(state), {}, 0)) << state;
  }
}

TEST(ScriptAnswer, BoundsWhatAShortScriptCanMakeOfALongResult) {
  std::string uses;
  for (int i = 0; i < 1000; ++i) uses += i == 0 ? R"({"$result":"a"})" : R"(,{"$result":"a"})";
  Play play(R"({"script":[{"call":{"step":"a","tool":"t"}},{"await":"a"},{"complete":[)" + uses +
            "]}]}");
  play.turn();
  play.succeed("a", '"' + std::string(200'000, 'x') + '"');
  EXPECT_EQ(play.try_turn().error().code, Code::kTooLarge);
}

TEST(HashAnswer, CountsWhatThePlannerSaidAndNotWhatTheServerAdded) {
  Play play(R"({"script":[{"call":{"step":"a","tool":"t"}},{"await":"a"}]})");
  AnswerTurn turn = play.turn();
  const Sha256 said = turn.answer_hash;
  EXPECT_EQ(hash_answer(turn), said);
  auto& call = std::get<CallAction>(turn.actions[0]);
  call.verdict = Verdict::kAllow;
  call.contract.max_attempts = 9;
  call.identity = sha256("x");
  EXPECT_EQ(hash_answer(turn), said);
  call.args = Payload::of("[]");
  EXPECT_NE(hash_answer(turn), said);
  call.args = Payload::of("{}");
  EXPECT_EQ(hash_answer(turn), said);
  turn.await.name = "b";
  EXPECT_NE(hash_answer(turn), said);
}

}  // namespace
}  // namespace perdure
