#include "agent/loop.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "journal_builder.h"

namespace perdure::test {
namespace {

using Stop = ModelAnswer::Stop;

constexpr ModelPrice kPrice = {.input_per_mtok = 1'000'000, .output_per_mtok = 4'000'000};

Result<AnswerTurn> plan(const JournalBuilder& journal, uint64_t turn) {
  const Transcript transcript = fold(journal.records());
  return plan_agent_turn(shop_agent(), transcript, turn, transcript.seq(), {{"main", {kPrice}}});
}

// The only action of the turn after the model answered so.
std::string after_answer(const ModelAnswer& answer) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, answer);
  const auto turn = plan(journal, 2);
  if (!turn) return turn.error().message;
  EXPECT_EQ(turn->actions.size(), 1u);
  return show(turn->actions.front());
}

TEST(AgentLoop, CallsTheModelWithTheConversationByReference) {
  JournalBuilder journal;
  journal.created(R"("hi")");
  const auto turn = plan(journal, 1);
  ASSERT_TRUE(turn) << turn.error().message;
  const std::string hash = to_hex(fold(journal.records()).conversation_hash().view());
  EXPECT_EQ(show(*turn), "turn 1 upto 1 agent/1:" + shop_agent().mark +
                             "\ncall m1 model main {\"context_seq\":1,\"conversation_sha256\":\"" +
                             hash + "\",\"max_output_tokens\":1000}\nawait step m1");
  const auto& call = std::get<CallAction>(turn->actions.front());
  EXPECT_EQ(call.reserve.model_calls, 1);
  EXPECT_EQ(call.reserve.tool_calls, 0);
  EXPECT_EQ(call.reserve.output_tokens, 1000);
  EXPECT_EQ(call.reserve.cost_micro_usd, call.reserve.input_tokens + 4000);
  EXPECT_FALSE(turn->guarded);
}

TEST(AgentLoop, AnAnswerHasTheLessOfWhatTheAgentAndTheOperatorAllow) {
  JournalBuilder journal;
  journal.created(R"("hi")");
  const Transcript transcript = fold(journal.records());
  struct Case {
    int64_t agent, model, sent;
  };
  for (const Case& each : {Case{0, 4096, 4096}, Case{8192, 2000, 2000}, Case{100, 2000, 100},
                           Case{100, 0, 100}, Case{0, 0, 0}}) {
    AgentSpec spec = shop_agent();
    spec.max_output_tokens = each.agent;
    const auto turn = plan_agent_turn(spec, transcript, 1, 1, {{"main", {kPrice, each.model}}});
    ASSERT_TRUE(turn);
    const auto& call = std::get<CallAction>(turn->actions.front());
    EXPECT_EQ(call.reserve.output_tokens, each.sent);
    EXPECT_TRUE(call.args.view().ends_with(fmt::format("\"max_output_tokens\":{}}}", each.sent)))
        << call.args.view();
  }
}

TEST(AgentLoop, SaysWhoseLimitCutAnAnswer) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, answer_with("Do", {}, Stop::kTruncated));
  const Transcript transcript = fold(journal.records());
  const auto turn = plan_agent_turn(shop_agent(), transcript, 2, 3, {{"main", {kPrice, 20}}});
  ASSERT_TRUE(turn);
  EXPECT_EQ(show(turn->actions.front()),
            "fail error: the answer was cut at max_output_tokens = 20; raise it in models.main of "
            "the operator's file. Calls in it were not made");
}

TEST(AgentLoop, MakesEveryCallOfAnAnswer) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(
      1, answer_with("", {{"a", "look", R"({"n": 1})"}, {"b", "ship", ""}}, Stop::kToolCalls));
  const auto turn = plan(journal, 2);
  ASSERT_TRUE(turn);
  EXPECT_EQ(show(*turn), "turn 2 upto 3 agent/1:" + shop_agent().mark +
                             " guarded\ncall t1.0 tool look {\"n\": 1}\ncall t1.1 tool ship {}\n"
                             "await all  t1.0 t1.1");
  for (const Action& action : turn->actions) {
    EXPECT_EQ(std::get<CallAction>(action).reserve, (Usage{.tool_calls = 1}));
    EXPECT_EQ(std::get<CallAction>(action).verdict, Verdict::kAsk);
  }
}

TEST(AgentLoop, DeniesWhatCannotBeRead) {
  const std::vector<std::pair<ToolCall, std::string>> cases = {
      {{"a", "lok", "{}"},
       "lok {} deny: malformed call: there is no tool 'lok'; did you mean 'look'?"},
      {{"a", "", "{}"}, "unnamed {} deny: malformed call: there is no tool ''"},
      {{"a", "look", "[1]"}, "look [1] deny: malformed call: the arguments are not a JSON object"},
      {{"a", "look", "{\"n\":1"}, "look {\"n\":1 deny: malformed call: arguments: "},
      {{"a", "look", R"({"n":1,"n":2})"},
       R"(look {"n":1,"n":2} deny: malformed call: arguments: )"},
  };
  for (const auto& [call, shown] : cases) {
    const std::string got = after_answer(answer_with("", {call}));
    EXPECT_TRUE(got.starts_with("call t1.0 tool " + shown)) << got;
  }
  const std::string got =
      after_answer(answer_with("", {{"a", std::string(126, 'x') + "\xc3\xa9\xc3\xa9", "{}"}}));
  EXPECT_TRUE(got.starts_with("call t1.0 tool " + std::string(126, 'x') + "\xc3\xa9 {} deny"))
      << got;
}

TEST(AgentLoop, DeniesArgumentsThatDoNotFitTheSchemaAndSaysWhere) {
  AgentSpec spec = shop_agent();
  spec.tools[0].input_schema =
      R"({"type":"object","required":["order"],"properties":{"order":{"type":"integer"}},)"
      R"("additionalProperties":false})";
  ASSERT_EQ(spec.tools[0].name, "look");
  ASSERT_TRUE(compile_schemas(spec));
  const std::string no_fit =
      " deny: malformed call: the arguments do not fit the input schema of 'look':\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"order":7})", ""},
      {"", no_fit + R"(the arguments: expected an object with the member "order", found an empty )"
                    "object"},
      {R"({"order":"7"})", no_fit + R"(/order: expected a whole number, found the string "7")"},
      {R"({"order":7,"ordr":1})", no_fit + "/ordr: expected no member of this name; did you mean "
                                           R"("order"?, found the number 1)"},
  };
  for (const auto& [arguments, reason] : cases) {
    JournalBuilder journal;
    journal.created(R"("hi")").answered(1, answer_with("", {{"a", "look", arguments}}));
    const Transcript transcript = fold(journal.records());
    const auto turn = plan_agent_turn(spec, transcript, 2, transcript.seq(), {{"main", {kPrice}}});
    ASSERT_TRUE(turn);
    EXPECT_EQ(show(turn->actions.front()),
              "call t1.0 tool look " + (arguments.empty() ? "{}" : arguments) + reason);
  }
}

TEST(AgentLoop, EndsAsTheAnswerSays) {
  const ToolCall call{"a", "pay", R"({"n":1})"};
  EXPECT_EQ(after_answer(answer_with("Done.")), R"(complete end_turn {"text":"Done."})");
  EXPECT_EQ(after_answer(answer_with("")), R"(complete end_turn {"text":""})");
  const std::string cut =
      "fail error: the answer was cut at max_output_tokens = 1000; raise it in the agent file. "
      "Calls in it were not made";
  EXPECT_EQ(after_answer(answer_with("Do", {}, Stop::kTruncated)), cut);
  EXPECT_EQ(after_answer(answer_with("", {call}, Stop::kTruncated)), cut);
  EXPECT_EQ(after_answer(answer_with("I will not.", {call}, Stop::kRefusal)),
            "fail refusal: the model refused: I will not.");
  ModelAnswer refusal = answer_with("");
  refusal.refusal = std::string(2000, 'n');
  EXPECT_EQ(after_answer(refusal), "fail refusal: the model refused: " + std::string(1000, 'n'));
  std::vector<ToolCall> many(kActionsMax + 1, call);
  EXPECT_TRUE(
      after_answer(answer_with("", many)).starts_with("fail error: the model asked for 1001"));
}

ModelAnswer taken_out(Stop stop) {
  ModelAnswer answer = answer_with("", {}, stop);
  answer.stop_detail = "Malformed function call: look(";
  return answer;
}

TEST(AgentLoop, TellsOfACallThatItsProviderCouldNotReadThreeTimesInARow) {
  JournalBuilder journal;
  journal.created(R"("hi")");
  uint64_t turn = 1;
  for (int i = 1; i <= 3; ++i) {
    journal.answered(turn++, taken_out(Stop::kMalformedCall));
    const auto told = plan(journal, turn++);
    ASSERT_TRUE(told->more);
    journal.accepted(*told);
    EXPECT_EQ(fold(journal.records()).request(shop_agent()).messages.back().text,
              "Your answer was stopped, since a tool call in it could not be read: Malformed "
              "function call: look(. No call of it was made. Call one of your tools by its name, "
              "with arguments that fit its schema, or go on without it.");
    if (i < 3) EXPECT_TRUE(show(plan(journal, turn)->actions.front()).starts_with("call m"));
  }
  EXPECT_EQ(show(plan(journal, turn)->actions.front()),
            "fail error: none of the calls in 3 answers of the model in a row could be read");
}

TEST(AgentLoop, TooManyCallsAreALoop) {
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, taken_out(Stop::kTooManyCalls));
  const auto told = plan(journal, 2);
  ASSERT_TRUE(told->more);
  journal.accepted(*told).answered(3, taken_out(Stop::kTooManyCalls));
  const auto asks = plan(journal, 4);
  EXPECT_EQ(show(asks->actions.front()),
            "interrupt loop_detected: The model asked for more tool calls than its provider lets "
            "pass, after it had been told of it before. May it go on?");
  journal.accepted(*asks);
  InterruptResolved decision;
  decision.interrupt_seq = journal.records().size();
  decision.decision = Decision::kApprove;
  JournalBuilder silent = journal;
  silent.add(decision);
  EXPECT_TRUE(plan(silent, 5)->more) << "it is told anew";
  decision.message = "One at a time.";
  journal.add(decision);
  EXPECT_TRUE(show(plan(journal, 5)->actions.front()).starts_with("call m5 model main"));
  EXPECT_EQ(fold(journal.records()).request(shop_agent()).messages.back().text,
            "A person who has looked at what you do says: One at a time.");
}

TEST(AgentLoop, FailsAsTheModelCallFailed) {
  const std::vector<std::pair<FailureClass, StopReason>> cases = {
      {FailureClass::kTransient, StopReason::kRetriesExhausted},
      {FailureClass::kRateLimit, StopReason::kRetriesExhausted},
      {FailureClass::kAmbiguous, StopReason::kRetriesExhausted},
      {FailureClass::kContextOverflow, StopReason::kContextOverflow},
      {FailureClass::kRefusal, StopReason::kRefusal},
      {FailureClass::kInvalid, StopReason::kError},
      {FailureClass::kNone, StopReason::kError},
  };
  for (const auto& [failure, reason] : cases) {
    JournalBuilder journal;
    journal.created(R"("hi")").model_planned(1);
    journal.settled("m1", Outcome::kFailed, "", failure, "HTTP 4xx");
    const auto turn = plan(journal, 2);
    ASSERT_TRUE(turn);
    const auto& end = std::get<FailAction>(turn->actions.front());
    EXPECT_EQ(end.stop_reason, reason) << to_string(failure);
    EXPECT_TRUE(end.message.ends_with(": HTTP 4xx")) << end.message;
  }
}

TEST(AgentLoop, AModelCallThatIsGivenUpKeepsItsLastFailure) {
  JournalBuilder limited;
  limited.created(R"("hi")").model_planned(1);
  limited.settled("m1", Outcome::kDeferred, "", FailureClass::kRateLimit, "HTTP 429");
  EXPECT_EQ(plan(limited, 2).error().code, Code::kConflict);
  limited.closed("m1", EffectState::kFailed, "3 attempts");
  EXPECT_EQ(show(plan(limited, 2)->actions.front()),
            "fail retries_exhausted: the call of model 'main' failed (rate_limit): 3 attempts; "
            "last: HTTP 429");

  JournalBuilder doubtful;
  doubtful.created(R"("hi")").model_planned(1).settled("m1", Outcome::kInDoubt);
  doubtful.closed("m1", EffectState::kUnknown);
  EXPECT_EQ(show(plan(doubtful, 2)->actions.front()),
            "fail retries_exhausted: the call of model 'main' failed (ambiguous)");

  JournalBuilder denied;
  denied.created(R"("hi")").model_planned(1);
  denied.decided("m1", InterruptReason::kToolApproval, Decision::kReject, "not today");
  EXPECT_EQ(show(plan(denied, 2)->actions.front()),
            "fail error: the call of model 'main' was denied: not today");

  JournalBuilder garbled;
  garbled.created(R"("hi")").model_planned(1).settled("m1", Outcome::kSucceeded, "{]");
  EXPECT_TRUE(show(plan(garbled, 2)->actions.front())
                  .starts_with("fail error: the call of model 'main' failed (malformed_output)"));
}

TEST(AgentLoop, GivesUpAfterAnswersThatCannotBeRead) {
  JournalBuilder journal;
  journal.created(R"("hi")");
  const auto round = [&](uint64_t turn, bool one_is_good) {
    const std::string step = "t" + std::to_string(turn) + ".";
    std::vector<ToolCall> calls = {{"a", "look", "?"}};
    if (one_is_good) calls.push_back({"b", "look", "{}"});
    journal.answered(turn, answer_with("", calls));
    journal.tool_planned(step + "0", "look", Verdict::kDeny, "malformed call: not JSON");
    if (one_is_good) {
      journal.tool_planned(step + "1", "look").settled(step + "1", Outcome::kSucceeded, "ok");
    }
  };
  const auto next = [&](uint64_t turn) { return show(plan(journal, turn)->actions.front()); };
  round(1, false);
  round(3, false);
  EXPECT_TRUE(next(5).starts_with("call m5"));
  round(5, true);
  round(7, false);
  round(9, false);
  EXPECT_TRUE(next(11).starts_with("call m11"));
  round(11, false);
  EXPECT_EQ(next(13),
            "fail error: none of the calls in 3 answers of the model in a row could be read");
}

TEST(AgentLoop, CallsAgainWithAPausedAnswerUnchanged) {
  JournalBuilder journal;
  ModelAnswer paused = answer_with("Searching. ", {}, Stop::kPaused);
  paused.raw = {"anthropic", R"([{"type":"server_tool_use"}])"};
  journal.created(R"("hi")").answered(1, paused);
  const auto turn = plan(journal, 2);
  ASSERT_TRUE(turn) << turn.error().message;
  EXPECT_EQ(std::get<CallAction>(turn->actions.front()).kind, CallKind::kModel);
  const auto messages = fold(journal.records()).request(shop_agent()).messages;
  EXPECT_EQ(messages.back().role, Message::Role::kAssistant);
  EXPECT_EQ(messages.back().raw.items, paused.raw.items);
  journal.answered(2, answer_with("Found."));
  const auto end = plan(journal, 3);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(show(end->actions.front()), R"(complete end_turn {"text":"Searching. Found."})");
}

TEST(AgentLoop, DoesNotWaitForAPausedAnswerForEver) {
  JournalBuilder journal;
  journal.created(R"("hi")");
  for (uint64_t turn = 1; turn <= kPausedAnswersMax; ++turn) {
    journal.answered(turn, answer_with("", {}, Stop::kPaused));
  }
  const auto turn = plan(journal, kPausedAnswersMax + 1);
  ASSERT_TRUE(turn) << turn.error().message;
  EXPECT_TRUE(std::holds_alternative<FailAction>(turn->actions.front()));
}

TEST(AgentLoop, DoesNotPlanWhileAnOutcomeIsAwaited) {
  JournalBuilder journal;
  EXPECT_FALSE(plan(journal, 1));
  journal.created(R"("hi")").model_planned(1);
  EXPECT_EQ(plan(journal, 2).error().code, Code::kConflict);
  journal.settled("m1", Outcome::kInDoubt);
  EXPECT_EQ(plan(journal, 2).error().code, Code::kConflict);
}

TEST(AgentLoop, ReservesAtLeastTheCost) {
  EXPECT_EQ(reserve_model_call(1, 0, {1, 0}).cost_micro_usd, 1);
  EXPECT_EQ(reserve_model_call(1'000'001, 3, {2, 1'000'000}).cost_micro_usd, 3 + 3);
  EXPECT_EQ(reserve_model_call(5, 5, {0, 0}).cost_micro_usd, 0);
  const int64_t dearest = micro_usd(kPriceMaxUsdPerMtok);
  const Usage huge = reserve_model_call(INT64_MAX, INT64_MAX, {dearest, dearest});
  EXPECT_GE(huge.cost_micro_usd, 1'000'000 * dearest);
}

}  // namespace
}  // namespace perdure::test
