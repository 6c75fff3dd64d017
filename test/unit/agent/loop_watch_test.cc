#include "agent/loop_watch.h"

#include <gtest/gtest.h>

#include "agent/loop.h"
#include "journal_builder.h"

namespace perdure::test {
namespace {

struct Round {
  std::string arguments;
  std::string result;
  bool failed = false;
};

std::optional<Loop> watch(const std::vector<Round>& rounds) {
  LoopWatch watch;
  for (const Round& round : rounds) {
    watch.add({{"id", "look", round.arguments}}, {result_in_words(round.result, round.failed)});
  }
  return watch.found();
}

TEST(LoopWatch, NoticesRoundsThatRepeat) {
  const Round a{"{}", "1"}, b{R"({"n":2})", "2"};
  const Round bad{"{}", "no", true};
  struct Case {
    std::vector<Round> rounds;
    std::optional<Loop> found;
  };
  const std::vector<Case> cases = {
      {{}, std::nullopt},
      {{a, a, a}, std::nullopt},
      {{a, a, a, a}, Loop::kSameResult},
      {{b, a, a, a, a}, Loop::kSameResult},
      {{a, a, a, b}, std::nullopt},
      {{{R"({"n":1,"m":2})", "x"},
        {R"({"m":2, "n":1})", "x"},
        {R"({"n":1,"m":2})", "x"},
        {R"({"n":1,"m":2})", "x"}},
       Loop::kSameResult},
      {{{"{}", "1"}, {"{}", "2"}, {"{}", "3"}, {"{}", "4"}}, std::nullopt},
      {{bad, bad}, std::nullopt},
      {{bad, {"{}", "not again", true}, bad}, Loop::kSameFailure},
      {{bad, bad, a}, std::nullopt},
      {{a, b, a, b}, Loop::kToAndFro},
      {{a, b, a}, std::nullopt},
      {{a, b, b, a}, std::nullopt},
      {{a, b, {"{}", "changed"}, b}, std::nullopt},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(watch(cases[i].rounds), cases[i].found) << "case " << i;
  }
}

TEST(LoopWatch, TheModelIsToldOnceAndThenAPersonDecides) {
  JournalBuilder journal;
  journal.created(R"("hi")");
  uint64_t turn = 0;
  const auto plan = [&] {
    const Transcript transcript = fold(journal.records());
    return *plan_agent_turn(shop_agent(), transcript, ++turn, transcript.seq(), {});
  };
  const auto rounds = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const AnswerTurn asked = plan();
      ASSERT_TRUE(show(asked.actions.front()).starts_with("call m"));
      journal.accepted(asked).settled("m" + std::to_string(asked.turn), Outcome::kSucceeded,
                                      R"({"calls":[{"id":"a","name":"look","arguments":"{}"}]})");
      journal.accepted(plan());
      journal.settled("t" + std::to_string(asked.turn) + ".0", Outcome::kSucceeded, "nothing new");
    }
  };
  rounds(4);
  const AnswerTurn nudge = plan();
  EXPECT_TRUE(nudge.more);
  journal.accepted(nudge);
  const auto messages = fold(journal.records()).request(shop_agent()).messages;
  EXPECT_EQ(messages.back().role, Message::Role::kUser);
  EXPECT_TRUE(messages.back().text.starts_with("You have made the same calls four times in a row"))
      << messages.back().text;
  rounds(4);
  const AnswerTurn raised = plan();
  EXPECT_EQ(show(raised.actions.front()),
            "interrupt loop_detected: The model made the same calls four times in a row, with the "
            "same results each time, after it had been told of it before. May it go on?");
  journal.accepted(raised);
  InterruptResolved approved;
  approved.interrupt_seq = journal.records().back().seq;
  approved.decision = Decision::kApprove;
  approved.message = "Try the other shop.";
  journal.add(std::move(approved));
  EXPECT_EQ(fold(journal.records()).request(shop_agent()).messages.back().text,
            "A person who has looked at what you do says: Try the other shop.");
  rounds(4);
  EXPECT_TRUE(plan().more) << "it is told anew";
}

}  // namespace
}  // namespace perdure::test
