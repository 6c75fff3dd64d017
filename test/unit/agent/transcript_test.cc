#include "agent/transcript.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "journal_builder.h"
#include "provider_rules.h"

namespace perdure::test {
namespace {

using Stage = Transcript::Stage;

// A task whose model asked for two calls, `a` and `b`, both planned.
JournalBuilder two_calls() {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(
      1, answer_with("Let me see.", {{"a", "look", R"({"n":1})"}, {"b", "pay", "{}"}}));
  return journal.tool_planned("t1.0", "look").tool_planned("t1.1", "pay");
}

// What the model is told about call `a`, when `b` succeeded with "paid".
std::string told_about_a(JournalBuilder journal) {
  journal.settled("t1.1", Outcome::kSucceeded, "paid");
  const Transcript transcript = fold(journal.records());
  EXPECT_TRUE(transcript.status());
  EXPECT_EQ(transcript.stage(), Stage::kCallModel);
  const auto messages = transcript.request(shop_agent()).messages;
  EXPECT_EQ(broken_rule(messages), std::nullopt) << show(messages);
  EXPECT_EQ(messages.size(), 5u);
  EXPECT_EQ(messages.back().text, "paid");
  return show({messages[messages.size() - 2]});
}

TEST(Transcript, ShowsInputAsWordsOrAsItsJson) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("hi \u00e9")", "hi \xc3\xa9"}, {R"({"b": 1, "a": [ ]})", R"({"a":[],"b":1})"},
      {"not json", "not json"},          {R"("")", "(There is no input.)"},
      {"", "(There is no input.)"},
  };
  for (const auto& [input, text] : cases) {
    const auto messages = fold(JournalBuilder().created(input).records()).request({}).messages;
    EXPECT_EQ(show(messages), "user: " + text + "\n");
  }
}

TEST(Transcript, AnAnswerEntersWithTheLastOfItsResults) {
  JournalBuilder journal = two_calls();
  const std::string before = "system: Serve the customer.\nuser: hi\n";
  EXPECT_EQ(show(fold(journal.records()).request(shop_agent()).messages), before);
  EXPECT_EQ(fold(journal.records()).stage(), Stage::kToolsOpen);
  journal.settled("t1.1", Outcome::kSucceeded, "paid");
  EXPECT_EQ(show(fold(journal.records()).request(shop_agent()).messages), before);
  journal.settled("t1.0", Outcome::kSucceeded, "found");
  EXPECT_EQ(show(fold(journal.records()).request(shop_agent()).messages),
            before +
                "assistant: Let me see. [a look {\"n\":1}] [b pay {}]\n"
                "tool a: found\ntool b: paid\n");
}

TEST(Transcript, TellsTheModelWhatBecameOfACall) {
  const auto doubt = InterruptReason::kUncertainOutcome;
  const std::string unknown =
      "tool! a: It is not known whether this call took effect: it was sent, and its answer was "
      "lost. Do not make it again. Say plainly that its outcome is unknown.";
  struct Case {
    JournalBuilder journal;
    std::string told;
  };
  const std::vector<Case> cases = {
      {two_calls().settled("t1.0", Outcome::kSucceeded),
       "tool a: (The call succeeded and returned nothing.)\n"},
      {two_calls().settled("t1.0", Outcome::kFailed, "no such order", FailureClass::kInvalid,
                           "HTTP 404"),
       "tool! a: The call failed. Reason: HTTP 404\nno such order\n"},
      {two_calls().closed("t1.0", EffectState::kFailed, "not sent in 3 attempts"),
       "tool! a: The call failed. Reason: not sent in 3 attempts\n"},
      {two_calls().closed("t1.0", EffectState::kDenied, "pay is off"),
       "tool! a: This call is not allowed and was not made. Do not try it again. Reason: pay is "
       "off\n"},
      {two_calls().decided("t1.0", InterruptReason::kToolApproval, Decision::kReject, "too much"),
       "tool! a: A person refused this call, and it was not made. Do not try it again unless they "
       "ask for it. They say: too much\n"},
      {two_calls()
           .decided("t1.0", InterruptReason::kToolApproval, Decision::kReject, "no")
           .closed("t1.0", EffectState::kDenied, "rejected by ann"),
       "tool! a: A person refused this call, and it was not made. Do not try it again unless they "
       "ask for it. They say: no\n"},
      {two_calls()
           .decided("t1.0", InterruptReason::kToolApproval, Decision::kApprove)
           .settled("t1.0", Outcome::kSucceeded, "found"),
       "tool a: found\n"},
      {two_calls()
           .settled("t1.0", Outcome::kInDoubt)
           .closed("t1.0", EffectState::kUnknown, "connection cut"),
       unknown + " Reason: connection cut\n"},
      {two_calls().settled("t1.0", Outcome::kInDoubt).decided("t1.0", doubt, Decision::kDismiss),
       unknown + "\n"},
      {two_calls().settled("t1.0", Outcome::kInDoubt).settled("t1.0", Outcome::kSucceeded, "found"),
       "tool a: found\n"},
      {two_calls().decided("t1.0", doubt, Decision::kHappened, "", "id 7"),
       "tool a: The answer to this call was lost. A person has checked: the call took effect. They "
       "report this result:\nid 7\n"},
      {two_calls().decided("t1.0", doubt, Decision::kNotHappened, "not in the books"),
       "tool! a: The answer to this call was lost. A person has checked: the call did not take "
       "effect. It may be made again if it is still needed. They say: not in the books\n"},
      {two_calls()
           .decided("t1.0", InterruptReason::kPossibleDuplicate, Decision::kReject)
           .closed("t1.0", EffectState::kDenied, "equal", "t1.1"),
       "tool a: This call equals an earlier one and was not made again. The outcome of the earlier "
       "call:\npaid\n"},
      {two_calls().closed("t1.0", EffectState::kDenied, "equal", "t0.9"),
       "tool! a: This call equals an earlier one and was not made again. Use the outcome of the "
       "earlier call.\n"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(told_about_a(cases[i].journal), cases[i].told) << "case " << i;
  }
}

TEST(Transcript, TheFirstOutcomeStands) {
  JournalBuilder journal = two_calls();
  journal.settled("t1.0", Outcome::kSucceeded, "found").settled("t1.0", Outcome::kFailed, "late");
  EXPECT_EQ(told_about_a(journal), "tool a: found\n");
}

TEST(Transcript, ARepeatOfARepeatIsToldTheFirstOutcome) {
  JournalBuilder journal = two_calls();
  journal.settled("t1.0", Outcome::kFailed, "", FailureClass::kInvalid, "closed")
      .closed("t1.1", EffectState::kDenied, "", "t1.0")
      .answered(3, answer_with("", {{"c", "look", "{}"}}))
      .tool_planned("t3.0", "look")
      .closed("t3.0", EffectState::kDenied, "", "t1.1");
  const auto messages = fold(journal.records()).request({}).messages;
  EXPECT_EQ(show({messages.back()}),
            "tool! c: This call equals an earlier one and was not made again. The outcome of the "
            "earlier call:\nThe call failed. Reason: closed\n");
}

TEST(Transcript, EqualCallsOfOneAnswerAreAllToldTheOneOutcome) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(
      1, answer_with("", {{"a", "pay", "{}"}, {"b", "pay", "{}"}, {"c", "pay", "{}"}}));
  journal.tool_planned("t1.0", "pay").tool_planned("t1.1", "pay").tool_planned("t1.2", "pay");
  journal.closed("t1.2", EffectState::kDenied, "", "t1.1");
  journal.closed("t1.1", EffectState::kDenied, "", "t1.0");
  EXPECT_EQ(fold(journal.records()).stage(), Stage::kToolsOpen);
  journal.settled("t1.0", Outcome::kSucceeded, "paid");
  const auto messages = fold(journal.records()).request({}).messages;
  ASSERT_EQ(messages.size(), 5u);
  EXPECT_EQ(messages[2].text, "paid");
  EXPECT_EQ(messages[3].text, messages[4].text);
  EXPECT_TRUE(messages[4].text.ends_with("earlier call:\npaid")) << messages[4].text;
}

TEST(Transcript, CallsWithoutAnIdOfTheirOwnGetOne) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(
      1,
      answer_with(
          "", {{"x", "look", ""}, {"x", "look", ""}, {"", "look", ""}, {"call_1_1", "look", ""}}));
  for (const char* step : {"t1.0", "t1.1", "t1.2", "t1.3"}) {
    journal.tool_planned(step, "look").settled(step, Outcome::kSucceeded, "ok");
  }
  const auto messages = fold(journal.records()).request({}).messages;
  EXPECT_EQ(broken_rule(messages), std::nullopt) << show(messages);
  EXPECT_EQ(messages[1].calls[0].id, "x");
  EXPECT_EQ(messages[1].calls[3].id, "call_1_1");
}

TEST(Transcript, ErasedResultsStayAnswered) {
  JournalBuilder journal = two_calls();
  StepSettled erased;
  erased.step = "t1.0";
  erased.outcome = Outcome::kSucceeded;
  erased.result = Payload::of("secret");
  erased.result.place = Payload::Place::kErased;
  erased.result.bytes.reset();
  journal.add(erased);
  EXPECT_EQ(told_about_a(journal), "tool a: (The content of this result was erased.)\n");
}

TEST(Transcript, SaysWhichBytesAreMissing) {
  JournalBuilder journal = two_calls();
  StepSettled large;
  large.step = "t1.0";
  large.outcome = Outcome::kSucceeded;
  large.result = Payload::blob(sha256("x"), 1);
  journal.add(large);
  const Transcript transcript = fold(journal.records());
  ASSERT_FALSE(transcript.status());
  EXPECT_EQ(transcript.status().error().code, Code::kUnavailable);
}

TEST(Transcript, SkipsWhatItHasSeenAndRefusesGaps) {
  const auto records = two_calls().records();
  Transcript transcript = fold(records);
  const Sha256 hash = transcript.conversation_hash();
  for (const Record& record : records) transcript.apply(record);
  EXPECT_EQ(transcript.conversation_hash(), hash);
  EXPECT_EQ(transcript.seq(), records.size());
  EXPECT_TRUE(transcript.status());
  transcript.apply({records.size() + 2, 0, Noted{}});
  ASSERT_FALSE(transcript.status());
  EXPECT_EQ(transcript.status().error().code, Code::kInternal);
}

TEST(Transcript, TheHashTellsConversationsApart) {
  std::vector<Sha256> hashes;
  for (const auto& calls : std::vector<std::vector<ToolCall>>{
           {{"a", "look", "{}"}}, {{"al", "ook", "{}"}}, {{"a", "look", "{ }"}}}) {
    JournalBuilder journal;
    journal.created(R"("hi")").answered(1, answer_with("", calls));
    journal.tool_planned("t1.0", "look").settled("t1.0", Outcome::kSucceeded, "ok");
    hashes.push_back(fold(journal.records()).conversation_hash());
  }
  EXPECT_NE(hashes[0], hashes[1]);
  EXPECT_NE(hashes[0], hashes[2]);
  EXPECT_EQ(hashes[0], [] {
    JournalBuilder journal;
    journal.created(R"(  "hi")").answered(1, answer_with("", {{"a", "look", "{}"}}));
    journal.tool_planned("t1.0", "look").settled("t1.0", Outcome::kSucceeded, "ok");
    return fold(journal.records()).conversation_hash();
  }());
}

TEST(Transcript, RawItemsCountInTheHashAndOnlyThen) {
  const auto hash = [](RawItems raw) {
    ModelAnswer answer = answer_with("", {{"a", "look", "{}"}});
    answer.raw = std::move(raw);
    JournalBuilder journal;
    journal.created(R"("hi")").answered(1, answer).tool_planned("t1.0", "look");
    journal.settled("t1.0", Outcome::kSucceeded, "found");
    return to_hex(fold(journal.records()).conversation_hash().view());
  };
  // Of journals that were written before there were raw items.
  EXPECT_EQ(hash({}), "e75758b6bb41863697fd89591e2098abe1e860b6d05e6b3fde3c561104dea941");
  EXPECT_NE(hash({"anthropic", "[]"}), hash({}));
  EXPECT_NE(hash({"anthropic", "[1]"}), hash({"anthropic", "[]"}));
}

TEST(Transcript, EstimatesByBytesUntilTheProviderHasCounted) {
  const AgentSpec spec = shop_agent();
  JournalBuilder journal;
  journal.created('"' + std::string(3000, 'x') + '"');
  const int64_t first = fold(journal.records()).input_tokens_estimate(spec);
  EXPECT_GE(first, 1000);
  EXPECT_LT(first, 1200);
  ModelAnswer answer = answer_with("", {{"a", "look", "{}"}});
  answer.input_tokens = 400;
  journal.answered(1, answer).tool_planned("t1.0", "look");
  journal.settled("t1.0", Outcome::kSucceeded, std::string(300, 'y'));
  const int64_t second = fold(journal.records()).input_tokens_estimate(spec);
  EXPECT_GE(second, 500);
  EXPECT_LT(second, 560);
}

}  // namespace
}  // namespace perdure::test
