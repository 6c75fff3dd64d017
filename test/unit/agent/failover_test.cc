#include "agent/failover.h"

#include <gtest/gtest.h>

#include "agent/loop.h"
#include "journal_builder.h"

namespace perdure::test {
namespace {

const AgentSpec kSpec = shop_agent({"main", "backup", "last"});

std::string next(const JournalBuilder& journal, const AgentSpec& spec = kSpec) {
  const Transcript transcript = fold(journal.records());
  const auto turn = plan_agent_turn(
      spec, transcript, 90, transcript.seq(),
      {{"main", {{.input_per_mtok = 1'000'000}}}, {"backup", {{.input_per_mtok = 7'000'000}}}});
  if (!turn) return turn.error().message;
  const auto* call = std::get_if<CallAction>(&turn->actions.front());
  return call == nullptr ? show(turn->actions.front()) : "call " + call->name;
}

JournalBuilder failed(FailureClass failure, std::string detail = "HTTP 4xx") {
  JournalBuilder journal;
  journal.created(R"("hi")").model_planned(1);
  journal.settled("m1", Outcome::kFailed, "", failure, std::move(detail));
  return journal;
}

TEST(Failover, AsksTheNextModelWhereAnotherMayHelp) {
  const std::vector<std::pair<FailureClass, bool>> cases = {
      {FailureClass::kTransient, true}, {FailureClass::kRateLimit, true},
      {FailureClass::kQuota, true},     {FailureClass::kAuth, true},
      {FailureClass::kAmbiguous, true}, {FailureClass::kMalformedOutput, true},
      {FailureClass::kInvalid, false},  {FailureClass::kContextOverflow, false},
      {FailureClass::kTooLarge, false}, {FailureClass::kRefusal, false},
      {FailureClass::kNone, false},
  };
  for (const auto& [failure, helps] : cases) {
    const std::string got = next(failed(failure));
    EXPECT_EQ(got == "call backup", helps) << to_string(failure) << ": " << got;
    EXPECT_EQ(got.starts_with("fail "), !helps) << to_string(failure) << ": " << got;
  }
  JournalBuilder denied;
  denied.created(R"("hi")").model_planned(1);
  denied.decided("m1", InterruptReason::kToolApproval, Decision::kReject, "not today");
  EXPECT_EQ(next(denied), "fail error: the call of model 'main' was denied: not today");
  JournalBuilder doubtful;
  doubtful.created(R"("hi")").model_planned(1).settled("m1", Outcome::kInDoubt);
  doubtful.closed("m1", EffectState::kUnknown);
  EXPECT_EQ(next(doubtful), "call backup");
}

TEST(Failover, TheLastOfTheListIsWaitedForLonger) {
  const auto attempts_max = [](const JournalBuilder& journal, const AgentSpec& spec) {
    const Transcript transcript = fold(journal.records());
    const auto turn = plan_agent_turn(spec, transcript, 90, transcript.seq(), {});
    return std::get<CallAction>(turn->actions.front()).attempts_max;
  };
  JournalBuilder journal;
  journal.created(R"("hi")");
  EXPECT_EQ(attempts_max(journal, shop_agent()), 0u);
  EXPECT_EQ(attempts_max(journal, kSpec), kAttemptsBeforeNext);
  journal = failed(FailureClass::kTransient);
  EXPECT_EQ(attempts_max(journal, kSpec), kAttemptsBeforeNext);
  journal.model_planned(2, "backup");
  journal.settled("m2", Outcome::kFailed, "", FailureClass::kTransient);
  EXPECT_EQ(attempts_max(journal, kSpec), 0u);
}

TEST(Failover, TheOneThatPassesIsWaitedForWhereNoOtherCanHelp) {
  const AgentSpec spec = shop_agent({"main", "backup"});
  JournalBuilder journal = failed(FailureClass::kTransient);
  journal.model_planned(2, "backup");
  journal.settled("m2", Outcome::kFailed, "", FailureClass::kAuth, "no key");
  const Transcript transcript = fold(journal.records());
  const auto turn = plan_agent_turn(spec, transcript, 90, transcript.seq(), {});
  const auto& call = std::get<CallAction>(turn->actions.front());
  EXPECT_EQ(call.name, "main");
  EXPECT_EQ(call.attempts_max, 0u);
  // Once: then a person is asked.
  journal.model_planned(3, "main");
  journal.settled("m3", Outcome::kFailed, "", FailureClass::kTransient);
  EXPECT_TRUE(next(journal, spec).starts_with("interrupt auth_required: ")) << next(journal, spec);
}

TEST(Failover, ReservesByThePriceOfTheModelThatIsAsked) {
  const JournalBuilder journal = failed(FailureClass::kAuth);
  const Transcript transcript = fold(journal.records());
  const auto turn = plan_agent_turn(kSpec, transcript, 2, transcript.seq(),
                                    {{"backup", {{.input_per_mtok = 7'000'000}}}});
  const Usage& reserve = std::get<CallAction>(turn->actions.front()).reserve;
  EXPECT_EQ(reserve.cost_micro_usd, 7 * reserve.input_tokens);
}

TEST(Failover, AtTheEndOfTheListAllModelsAreNamed) {
  JournalBuilder journal = failed(FailureClass::kQuota, "no money");
  journal.model_planned(2, "backup");
  journal.settled("m2", Outcome::kFailed, "", FailureClass::kAuth, "no key");
  EXPECT_EQ(next(journal), "call last");
  journal.model_planned(3, "last");
  journal.settled("m3", Outcome::kDeferred, "", FailureClass::kRateLimit, "HTTP 429");
  journal.closed("m3", EffectState::kFailed, "3 attempts");
  EXPECT_EQ(
      next(journal),
      "interrupt auth_required: No model can be asked: the call of model 'main' failed (quota): "
      "no money; then the call of model 'backup' failed (auth): no key; then the call of model "
      "'last' failed (rate_limit): 3 attempts; last: HTTP 429. To go on, give the account of "
      "models.main money or a higher limit, or mend the credential of models.backup, and "
      "approve: the models are asked again. Rejecting ends the task.");
}

TEST(Failover, APersonMendsACredentialAndTheModelsAreAskedAnew) {
  const AgentSpec alone = shop_agent();
  JournalBuilder journal = failed(FailureClass::kAuth, "bad key");
  const auto plan = [&](uint64_t turn) {
    const Transcript transcript = fold(journal.records());
    return *plan_agent_turn(alone, transcript, turn, transcript.seq(),
                            {{"main", {{}, 100, "env:MAIN_KEY"}}});
  };
  const AnswerTurn asks = plan(2);
  EXPECT_EQ(
      show(asks.actions.front()),
      "interrupt auth_required: No model can be asked: the call of model 'main' failed (auth): "
      "bad key. To go on, mend the credential of models.main (env:MAIN_KEY), and approve: the "
      "models are asked again. Rejecting ends the task.");
  journal.accepted(asks);
  const JournalBuilder asked = journal;
  InterruptResolved decision;
  decision.interrupt_seq = journal.records().size();
  decision.decision = Decision::kReject;
  journal.add(decision);
  EXPECT_EQ(fold(journal.records()).stage(), Transcript::Stage::kModelFailed);
  journal = asked;
  decision.decision = Decision::kApprove;
  journal.add(decision);
  EXPECT_TRUE(show(plan(3).actions.front()).starts_with("call m3 model main"));
  journal.model_planned(3);
  journal.settled("m3", Outcome::kFailed, "", FailureClass::kInvalid, "no such field");
  EXPECT_EQ(next(journal, alone),
            "fail error: the call of model 'main' failed (invalid): no such field")
      << "what failed before it was mended is no matter any more";
}

TEST(Failover, NobodyIsAskedWhereTheRequestItselfIsWrong) {
  JournalBuilder journal = failed(FailureClass::kAuth, "bad key");
  journal.model_planned(2, "backup");
  journal.settled("m2", Outcome::kFailed, "", FailureClass::kInvalid, "no such field");
  EXPECT_TRUE(next(journal).starts_with("fail error: the call of model 'main' failed (auth): bad"))
      << next(journal);
}

TEST(Failover, StaysWithTheModelThatAnswered) {
  JournalBuilder journal = failed(FailureClass::kTransient);
  journal.answered(2, answer_with("", {{"a", "look", "{}"}}), "backup");
  journal.tool_planned("t2.0", "look").settled("t2.0", Outcome::kSucceeded, "ok");
  EXPECT_EQ(next(journal), "call backup");
  // And where that one fails, those before it may have recovered.
  journal.model_planned(4, "backup");
  journal.settled("m4", Outcome::kFailed, "", FailureClass::kTransient, "HTTP 503");
  EXPECT_EQ(next(journal), "call main");
}

TEST(Failover, ARefusalIsAskedOfAnotherOnlyIfTheAgentSaysSo) {
  ModelAnswer refusal = answer_with("I will not.", {}, ModelAnswer::Stop::kRefusal);
  JournalBuilder journal;
  journal.created(R"("hi")").answered(1, refusal);
  EXPECT_EQ(next(journal), "fail refusal: the model refused: I will not.");
  AgentSpec spec = kSpec;
  spec.failover_on_refusal = true;
  EXPECT_EQ(next(journal, spec), "call backup");
  journal.answered(2, answer_with("Gladly."), "backup");
  EXPECT_EQ(next(journal, spec), R"(complete end_turn {"text":"Gladly."})");
  // The refusal is no part of the conversation.
  EXPECT_EQ(show(fold(journal.records()).request(spec).messages),
            "system: Serve the customer.\nuser: hi\n");

  JournalBuilder all;
  all.created(R"("hi")").answered(1, refusal).answered(2, refusal, "backup");
  EXPECT_EQ(next(all, spec), "call last");
  all.answered(3, refusal, "last");
  EXPECT_TRUE(
      next(all, spec).starts_with("fail refusal: the call of model 'main' failed (refusal): "
                                  "I will not.; then the call of model 'backup'"))
      << next(all, spec);
}

}  // namespace
}  // namespace perdure::test
