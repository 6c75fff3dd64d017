#include "agent/builtin_tools.h"

#include <gtest/gtest.h>

#include "agent/agent_file.h"
#include "agent/loop.h"
#include "agent/preview.h"
#include "base/text.h"
#include "journal_builder.h"

namespace perdure::test {
namespace {

AgentSpec agent(const char* more = "") {
  const std::vector<ToolDeclaration> offered = {{"look", "Looks.", R"({"type":"object"})"}};
  const auto file =
      parse_json(std::string(R"({"name":"a","model":"main",)") + more +
                     R"("tools":["*","wait","read_result","ask_person"],"max_inline":300})",
                 "agent");
  auto spec = agent_from_file(*file, offered);
  EXPECT_TRUE(spec) << spec.error().message;
  return *spec;
}

// A task whose model asks for these calls in its first answer.
struct World {
  explicit World(std::vector<ToolCall> calls) {
    journal.created(R"("hi")").answered(1, answer_with("", std::move(calls)));
  }
  AnswerTurn plan(uint64_t turn) const {
    const Transcript transcript = now();
    auto planned = plan_agent_turn(spec, transcript, turn, transcript.seq(), {});
    EXPECT_TRUE(planned) << planned.error().message;
    return planned ? *std::move(planned) : AnswerTurn{};
  }
  Transcript now() const { return fold(journal.records(), inline_rules(spec)); }
  std::vector<Message> messages() const { return now().request(spec).messages; }

  AgentSpec spec = agent();
  JournalBuilder journal;
};

TEST(BuiltinTools, AreNamedAndNeverMatchedByAPattern) {
  const std::vector<ToolDeclaration> offered = {{"look", "Looks.", ""}};
  const auto tools_of = [&](const char* tools) {
    const auto file =
        parse_json(std::string(R"({"name":"a","model":"m","tools":)") + tools + "}", "agent");
    const auto spec = agent_from_file(*file, offered);
    if (!spec) return spec.error().message;
    std::string names;
    for (const ToolDeclaration& tool : spec->tools) names += tool.name + " ";
    const auto again = agent_from_content(agent_content(*spec));
    EXPECT_TRUE(again && again->mark == spec->mark && again->builtins == spec->builtins);
    return names;
  };
  EXPECT_EQ(tools_of(R"(["*"])"), "look ");
  EXPECT_EQ(tools_of(R"(["*", "wait"])"), "look wait ");
  EXPECT_EQ(tools_of(R"("read_result")"), "read_result ");
  EXPECT_EQ(tools_of(R"(["wiat"])"), "agent.tools: there is no tool 'wiat'; did you mean 'wait'?");
}

TEST(BuiltinTools, WaitIsATimerUnderTheNameOfItsCall) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"seconds":90})", "timer t1.0 after 90000 at 0"},
      {R"({"seconds":0.25})", "timer t1.0 after 250 at 0"},
      {R"({"until":"2026-11-24T09:00:00Z"})", "timer t1.0 after 0 at 1795510800000"},
      {R"({"until":"1960-01-01T00:00:00Z"})", "timer t1.0 after 0 at 1"},
      {R"({"until":"tomorrow"})",
       "call t1.0 tool wait {\"until\":\"tomorrow\"} deny: malformed call: /until: 'tomorrow' is "
       "not "
       "an RFC 3339 time, such as 2026-11-24T09:00:00Z"},
      {R"({"seconds":-1})",
       "call t1.0 tool wait {\"seconds\":-1} deny: malformed call: the arguments do not fit the "
       "input "
       "schema of 'wait':\n/seconds: expected a number of at least 0, found the number -1"},
      {"{}",
       "call t1.0 tool wait {} deny: malformed call: the arguments do not fit the input schema of "
       "'wait':\nthe arguments: expected an object of at least 1 member, found an empty object"},
  };
  for (const auto& [arguments, shown] : cases) {
    const World world({{"a", "wait", arguments}});
    EXPECT_EQ(show(world.plan(2).actions.front()), shown);
  }
}

TEST(BuiltinTools, AWaitIsOverWhenItsTimerHasFired) {
  World world({{"a", "wait", R"({"seconds":5})"}, {"b", "look", "{}"}});
  const AnswerTurn turn = world.plan(2);
  EXPECT_TRUE(show(turn).ends_with("await all  t1.0 t1.1")) << show(turn);
  EXPECT_EQ(turn.await.of[0].op, Await::Op::kTimer);
  world.journal.accepted(turn).settled("t1.1", Outcome::kSucceeded, "seen");
  EXPECT_EQ(world.now().stage(), Transcript::Stage::kToolsOpen);
  world.journal.add(TimerFired{"t1.0", TimerPurpose::kPlanner});
  const Seq seq = world.journal.records().size();
  EXPECT_EQ(show(world.messages()),
            "user: hi\nassistant:  [a wait {\"seconds\":5}] [b look {}]\n"
            "tool a: The wait is over. It is " +
                to_rfc3339(1000 + static_cast<int64_t>(seq)) + " now.\ntool b: seen\n");
}

TEST(BuiltinTools, ALargeResultIsShownInPartAndReadByRange) {
  std::string whole;
  for (int i = 0; i < 400; ++i) whole += "é" + std::to_string(1000 + i);
  World world({{"a", "look", "{}"}});
  world.journal.tool_planned("t1.0", "look").settled("t1.0", Outcome::kSucceeded, whole);
  const std::string shown = world.messages().back().text;
  EXPECT_TRUE(shown.starts_with(
      "(The result has 2400 bytes. Its first 225 and its last 75 follow. "
      "Read the rest with read_result {\"call\":\"t1.0\",\"offset\":225}.)\né1000"))
      << shown;
  EXPECT_TRUE(shown.ends_with(whole.substr(whole.size() - 75)));
  EXPECT_TRUE(is_valid_utf8(shown));
  EXPECT_LT(shown.size(), 600u);

  // Everything can be read, and each read is a step of its own with its bytes.
  std::string read = whole.substr(0, 225);
  uint64_t turn = 3;
  while (read.size() < whole.size()) {
    const std::string arguments = R"({"call":"t1.0","offset":)" + std::to_string(read.size()) + "}";
    world.journal.answered(turn, answer_with("", {{"r", "read_result", arguments}}));
    const AnswerTurn planned = world.plan(turn + 1);
    const auto& call = std::get<CallAction>(planned.actions.front());
    EXPECT_EQ(call.executed_by, ExecutedBy::kPlanner);
    EXPECT_EQ(call.contract.effect, EffectClass::kRead);
    world.journal.accepted(planned);
    const std::string part = world.messages().back().text;
    const size_t line = part.find('\n');
    ASSERT_NE(line, std::string::npos);
    ASSERT_GT(part.size(), line + 1);
    read += part.substr(line + 1);
    turn += 2;
    ASSERT_LT(turn, 60u);
  }
  EXPECT_EQ(read, whole);
  EXPECT_TRUE(world.messages().back().text.find("this is the end") != std::string::npos);
}

TEST(BuiltinTools, ReadResultSaysWhatIsNotThere) {
  World world({{"a", "read_result", R"({"call":"t9.9"})"}});
  EXPECT_TRUE(
      show(world.plan(2).actions.front())
          .ends_with("deny: malformed call: /call: 't9.9' has no result that was shown in part"));
}

TEST(BuiltinTools, WithoutReadResultTheRestIsNotKeptInMemory) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, answer_with("", {{"a", "look", "{}"}}));
  journal.tool_planned("t1.0", "look").settled("t1.0", Outcome::kFailed, std::string(5000, 'x'));
  const Transcript transcript = fold(journal.records(), {.max_bytes = 400});
  const auto messages = transcript.request(shop_agent()).messages;
  EXPECT_TRUE(messages.back().is_error);
  EXPECT_NE(messages.back().text.find("you cannot read it"), std::string::npos);
  EXPECT_EQ(transcript.large_result("t1.0"), nullptr);
  EXPECT_EQ(transcript.memory_bytes(), transcript.size_bytes());
}

TEST(BuiltinTools, AskPersonIsAQuestionWhoseAnswerIsTheResult) {
  const char* question =
      R"({"question":"Which order?","choices":["41","42"],"schema":{"type":"string"}})";
  World world({{"a", "ask_person", question}});
  const AnswerTurn turn = world.plan(2);
  EXPECT_EQ(show(turn.actions.front()),
            "ask t1.0 ask_person: Which order? "
            R"({"choices":["41","42"],"question":"Which order?","schema":{"type":"string"}})");
  EXPECT_EQ(turn.await.of[0].op, Await::Op::kStep);
  world.journal.accepted(turn);
  EXPECT_EQ(world.now().stage(), Transcript::Stage::kToolsOpen);
  InterruptResolved answer;
  answer.interrupt_seq = world.journal.records().back().seq;
  answer.decision = Decision::kRespond;
  answer.given = Payload::of(R"("42")");
  world.journal.add(std::move(answer));
  EXPECT_EQ(world.messages().back().text, "42");
  EXPECT_FALSE(world.messages().back().is_error);

  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"{}", R"(expected an object with the member "question", found an empty object)"},
      {R"({"question":")" + std::string(5000, 'x') + "\"}", "/question: expected 1 to 4096 bytes"},
      {R"({"question":"q","schema":{"type":"strnig"}})", "/schema/type: there is no type 'strnig'"},
      {R"({"question":"q","choices":[]})", "/choices: expected an array of at least 1 item"},
  };
  for (const auto& [arguments, said] : wrong) {
    const World each({{"a", "ask_person", arguments}});
    const std::string shown = show(each.plan(2).actions.front());
    EXPECT_NE(shown.find("deny: malformed call: "), std::string::npos) << shown;
    EXPECT_NE(shown.find(said), std::string::npos) << shown;
  }
}

TEST(Preview, PartsAreCutBetweenCharacters) {
  EXPECT_EQ(part_of("aéb", 0, 2), "(Bytes 0 to 1 of 4; there is more.)\na");
  EXPECT_EQ(part_of("aéb", 1, 2), "(Bytes 1 to 3 of 4; there is more.)\né");
  EXPECT_EQ(part_of("aéb", 2, 9), "(Bytes 3 to 4 of 4; this is the end.)\nb");
  EXPECT_EQ(part_of("aéb", UINT64_MAX, 9), "(Bytes 4 to 4 of 4; this is the end.)\n");
}

}  // namespace
}  // namespace perdure::test
