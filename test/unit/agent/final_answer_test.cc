#include "agent/final_answer.h"

#include <gtest/gtest.h>

#include "agent/loop.h"
#include "journal_builder.h"

namespace perdure::test {
namespace {

AnswerTurn plan(const JournalBuilder& journal, uint64_t turn) {
  const Transcript transcript = fold(journal.records());
  auto planned = plan_agent_turn(strict_agent(), transcript, turn, transcript.seq(), {});
  EXPECT_TRUE(planned) << planned.error().message;
  return planned ? *std::move(planned) : AnswerTurn{};
}

TEST(FinalAnswer, IsTheJsonInTheText) {
  const auto schema = JsonSchema::compile(R"({"required":["done"]})", "schema");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"done": true})", R"({"done":true})"},
      {"\n {\"b\":1,\"done\":2}\n", R"({"b":1,"done":2})"},
      {"Here it is:\n```json\n{\"done\": 1}\n```\nBye.", R"({"done":1})"},
      {"```\n{\"done\": \"```\"}\n```", R"({"done":"```"})"},
  };
  for (const auto& [text, json] : cases) {
    const auto got = final_json(*schema, text);
    ASSERT_TRUE(got) << text << ": " << got.error().message;
    EXPECT_EQ(*got, json);
  }
  for (const char* text : {"", "Done.", "{\"done\":", "{\"done\":1} and more", "```json\n{]\n```",
                           "{}", "```", "{\"done\":1,\"done\":2}"}) {
    EXPECT_FALSE(final_json(*schema, text)) << text;
  }
}

TEST(FinalAnswer, ThatFitsEndsTheTaskWithItsValue) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, answer_with(R"({"done": 5})"));
  EXPECT_EQ(show(plan(journal, 2).actions.front()), R"(complete end_turn {"done":5})");
}

constexpr std::string_view kToldAtFirst =
    "system: Serve the customer.\n\nYour final answer, the one without tool calls, must be one "
    "JSON "
    "value and no other text. It must fit this JSON Schema:\n"
    "{\"type\":\"object\",\"required\":[\"done\"]}\nuser: hi\n";

TEST(FinalAnswer, ItsSchemaIsToldFromTheBeginning) {
  JournalBuilder journal;
  journal.created(R"("hi")");
  const Transcript transcript = fold(journal.records());
  AgentSpec spec = strict_agent();
  EXPECT_EQ(show(transcript.request(spec).messages), kToldAtFirst);
  const int64_t with_schema = transcript.input_tokens_estimate(spec);
  // A task of a version from before the schema was told goes on without it.
  spec.rendering = 1;
  EXPECT_EQ(show(transcript.request(spec).messages), "system: Serve the customer.\nuser: hi\n");
  EXPECT_GT(with_schema, transcript.input_tokens_estimate(spec) + 30);
  spec = strict_agent();
  spec.instructions.clear();
  EXPECT_TRUE(show(transcript.request(spec).messages).starts_with("system: Your final answer"));
}

TEST(FinalAnswer, ThatDoesNotFitIsRepairedOnceAndThenEndsTheTask) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, answer_with(R"({"x": 5})"));
  const AnswerTurn repair = plan(journal, 2);
  ASSERT_EQ(repair.actions.size(), 1u);
  EXPECT_TRUE(repair.more);
  journal.accepted(repair);
  const std::string told =
      std::string(kToldAtFirst) +
      "assistant: {\"x\": 5}\n"
      "user: Your answer does not fit the schema that it must fit:\n"
      "the answer: expected an object with the member \"done\", found the object {\"x\":5}\n"
      "The schema:\n{\"type\":\"object\",\"required\":[\"done\"]}\n"
      "Answer again with the corrected JSON alone.\n";
  EXPECT_EQ(show(fold(journal.records()).request(strict_agent()).messages), told);
  EXPECT_TRUE(show(plan(journal, 3).actions.front()).starts_with("call m3 model main"));

  JournalBuilder repaired = journal;
  repaired.answered(3, answer_with(R"({"done": 5})"));
  EXPECT_EQ(show(plan(repaired, 4).actions.front()), R"(complete end_turn {"done":5})");

  journal.answered(3, answer_with("Sorry."));
  EXPECT_TRUE(show(plan(journal, 4).actions.front())
                  .starts_with("fail error: the answer does not fit the agent's output_schema, nor "
                               "did the one before it: the answer: not JSON at byte"))
      << show(plan(journal, 4).actions.front());
}

// Some providers refuse an assistant who says nothing.
TEST(FinalAnswer, ThatIsEmptyStandsInTheConversationWithWords) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, answer_with(""));
  journal.accepted(plan(journal, 2));
  EXPECT_NE(show(fold(journal.records()).request(strict_agent()).messages)
                .find("assistant: (The answer was empty.)\nuser: Your answer"),
            std::string::npos);
}

}  // namespace
}  // namespace perdure::test
