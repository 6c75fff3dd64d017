#include "engine/open_question.h"

#include <gtest/gtest.h>

namespace perdure::test {
namespace {

using engine::OpenQuestion;
using engine::question_in;

core::TaskState asks(const std::string& args) {
  core::TaskState state;
  state.id = TaskId::make(1, 2, 3);
  state.tenant = "acme";
  state.agent = "refunds";
  state.limits.model_calls = 7;
  core::Step& step = state.open["pay"];
  step.name = "refund";
  step.args = Payload::of(args);
  step.planned_seq = 4;
  step.attempt = 2;
  step.group = 1;
  step.sent = {{1, 100, Outcome::kNotSent, "refused"}, {2, 200, std::nullopt, ""}};
  core::Interrupt& asked = state.interrupts[9];
  asked.reason = InterruptReason::kUncertainOutcome;
  asked.step = "pay";
  asked.message = "it is not known whether it arrived";
  asked.requested_ms = 300;
  asked.asking.assignees = {"ann", "bob"};
  asked.reminders = 1;
  return state;
}

TEST(OpenQuestionRow, SaysWhatIsShown) {
  const core::TaskState state = asks(R"({"order":7})");
  const InterruptRow row = engine::row_of(state, 9);
  EXPECT_EQ(row.assignees, (std::vector<std::string>{"ann", "bob"}));
  EXPECT_EQ(row.created_ms, 300);
  const auto read = question_in(row);
  ASSERT_TRUE(read && *read);
  const OpenQuestion& question = **read;
  EXPECT_EQ(question.agent, "refunds");
  EXPECT_EQ(question.step_id, "pay");
  EXPECT_EQ(question.step->name, "refund");
  EXPECT_EQ(question.step->args.view(), R"({"order":7})");
  EXPECT_EQ(question.step->attempts, 2u);
  ASSERT_EQ(question.step->sent.size(), 2u);
  EXPECT_EQ(question.step->sent[0].detail, "refused");
  EXPECT_FALSE(question.step->sent[1].outcome);
  EXPECT_EQ(question.reminders, 1u);
  EXPECT_TRUE(question.limits_model_calls);
  EXPECT_FALSE(question.limits_cost);
  EXPECT_TRUE(engine::says_the_same(row, state));
}

TEST(OpenQuestionRow, LargeArgumentsStandInTheJournal) {
  const std::string large = "\"" + std::string(5'000, 'x') + "\"";
  core::TaskState state = asks(large);
  const InterruptRow row = engine::row_of(state, 9);
  EXPECT_LT(row.shown.size(), 1'000u);
  const Payload& args = (**question_in(row)).step->args;
  EXPECT_EQ(args.place, Payload::Place::kWithin);
  EXPECT_EQ(args.within_seq, 4u);
  EXPECT_EQ(args.hash, sha256(large));
  state.open.at("pay").edited = true;  // the state does not name that record
  EXPECT_EQ((**question_in(engine::row_of(state, 9))).step->args.view(), large);
}

TEST(OpenQuestionRow, AnOlderRowSaysNothingAndIsNotWrong) {
  const core::TaskState state = asks("{}");
  InterruptRow row = engine::row_of(state, 9);
  row.shown.clear();
  row.assignees.clear();
  EXPECT_FALSE(question_in(row).value());
  EXPECT_TRUE(engine::says_the_same(row, state));
}

TEST(OpenQuestionRow, WhatIsNoSuchThingIsDamage) {
  const InterruptRow whole = engine::row_of(asks("{}"), 9);
  for (size_t size = 1; size < whole.shown.size(); ++size) {
    InterruptRow row = whole;
    row.shown.resize(size);
    ASSERT_FALSE(question_in(row)) << size;
  }
  InterruptRow row = whole;
  row.shown += 'x';
  EXPECT_FALSE(question_in(row));
  row = whole;
  row.shown[0] = 99;
  EXPECT_FALSE(question_in(row)) << "a layout that is not known";
}

TEST(OpenQuestionRow, AnotherQuestionIsNotTheSame) {
  const core::TaskState state = asks("{}");
  const InterruptRow row = engine::row_of(state, 9);
  using Change = void (*)(core::TaskState&);
  const Change changes[] = {
      [](core::TaskState& s) { s.agent_version = "other"; },
      [](core::TaskState& s) { s.open.at("pay").name = "other"; },
      [](core::TaskState& s) { s.open.at("pay").args = Payload::of("[]"); },
      [](core::TaskState& s) { s.open.at("pay").contract.effect = EffectClass::kRead; },
      [](core::TaskState& s) { s.open.erase("pay"); },
      [](core::TaskState& s) { s.interrupts.at(9).message = "?"; },
      [](core::TaskState& s) { s.interrupts.at(9).asking.assignees = {"ann"}; },
      [](core::TaskState& s) { s.interrupts.clear(); },
  };
  for (size_t i = 0; i < std::size(changes); ++i) {
    core::TaskState other = state;
    changes[i](other);
    EXPECT_FALSE(engine::says_the_same(row, other)) << "change " << i;
  }
  core::TaskState later = state;
  later.open.at("pay").sent[1].outcome = Outcome::kInDoubt;
  later.interrupts.at(9).reminders = 2;
  EXPECT_TRUE(engine::says_the_same(row, later)) << "how it fares is not what it asks";
}

}  // namespace
}  // namespace perdure::test
