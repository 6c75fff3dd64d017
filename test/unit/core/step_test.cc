// One step from plan to outcome, by class of effect: docs/guarantees.md section 2.
#include "support.h"

namespace perdure::test {
namespace {

using enum Outcome;

struct OutcomeCase {
  EffectClass effect;
  Outcome outcome;
  FailureClass failure;
  std::string then;  // with one attempt only
  std::string with_more_attempts;
};

class OutcomeOfClass : public testing::TestWithParam<OutcomeCase> {};

TEST_P(OutcomeOfClass, LeadsWhereTheContractSays) {
  const OutcomeCase& c = GetParam();
  for (const uint32_t attempts : {1u, 3u}) {
    Contract terms = idempotent(attempts);
    terms.effect = c.effect;
    Driver driver;
    driver.answer({tool("a", terms)});
    ASSERT_EQ(driver.step("a"), "intent");
    driver.settle("a", c.outcome, c.failure);
    EXPECT_EQ(driver.step("a"), attempts == 1 ? c.then : c.with_more_attempts);
    EXPECT_EQ(driver.sends_of("a"), 1u) << "sent again at once";
  }
}

constexpr FailureClass kNone = FailureClass::kNone;
constexpr FailureClass kAmbiguous = FailureClass::kAmbiguous;

INSTANTIATE_TEST_SUITE_P(
    Table, OutcomeOfClass,
    testing::Values(
        OutcomeCase{EffectClass::kRead, kSucceeded, kNone, "succeeded", "succeeded"},
        OutcomeCase{EffectClass::kRead, kFailed, kNone, "failed", "failed"},
        OutcomeCase{EffectClass::kRead, kNotSent, kNone, "failed", "not_sent"},
        OutcomeCase{EffectClass::kRead, kDeferred, kNone, "failed", "deferred"},
        OutcomeCase{EffectClass::kRead, kInDoubt, kNone, "failed", "in_doubt"},
        OutcomeCase{EffectClass::kRepeat, kSucceeded, kNone, "succeeded", "succeeded"},
        OutcomeCase{EffectClass::kRepeat, kFailed, kNone, "failed", "failed"},
        OutcomeCase{EffectClass::kRepeat, kNotSent, kNone, "failed", "not_sent"},
        OutcomeCase{EffectClass::kRepeat, kDeferred, kNone, "failed", "deferred"},
        OutcomeCase{EffectClass::kRepeat, kInDoubt, kNone, "failed", "in_doubt"},
        OutcomeCase{EffectClass::kIdempotent, kSucceeded, kNone, "succeeded", "succeeded"},
        OutcomeCase{EffectClass::kIdempotent, kFailed, kNone, "failed", "failed"},
        OutcomeCase{EffectClass::kIdempotent, kNotSent, kNone, "failed", "not_sent"},
        OutcomeCase{EffectClass::kIdempotent, kDeferred, kNone, "failed", "deferred"},
        OutcomeCase{EffectClass::kIdempotent, kDeferred, kAmbiguous, "needs_human", "deferred"},
        OutcomeCase{EffectClass::kIdempotent, kInDoubt, kNone, "needs_human", "in_doubt"},
        OutcomeCase{EffectClass::kProbe, kSucceeded, kNone, "succeeded", "succeeded"},
        OutcomeCase{EffectClass::kProbe, kFailed, kNone, "failed", "failed"},
        OutcomeCase{EffectClass::kProbe, kNotSent, kNone, "failed", "not_sent"},
        OutcomeCase{EffectClass::kProbe, kDeferred, kNone, "failed", "deferred"},
        // There is no prober yet: a person is asked at once, a timer would only keep them waiting.
        OutcomeCase{EffectClass::kProbe, kInDoubt, kNone, "needs_human", "needs_human"},
        OutcomeCase{EffectClass::kOnce, kSucceeded, kNone, "succeeded", "succeeded"},
        OutcomeCase{EffectClass::kOnce, kFailed, kNone, "failed", "failed"},
        OutcomeCase{EffectClass::kOnce, kNotSent, kNone, "failed", "not_sent"},
        OutcomeCase{EffectClass::kOnce, kDeferred, kNone, "failed", "deferred"},
        // "In progress" is an answer of a receiver that knows our key; without keys it is a doubt.
        OutcomeCase{EffectClass::kOnce, kDeferred, kAmbiguous, "needs_human", "needs_human"},
        OutcomeCase{EffectClass::kProbe, kDeferred, kAmbiguous, "needs_human", "needs_human"},
        OutcomeCase{EffectClass::kOnce, kInDoubt, kNone, "needs_human", "needs_human"}),
    [](const auto& info) {
      const OutcomeCase& c = info.param;
      return std::string(to_string(c.effect)) + "_" + std::string(to_string(c.outcome)) +
             (c.failure == kAmbiguous ? "_ambiguous" : "");
    });

TEST(Step, VerdictsDecideWhetherItIsSent) {
  Driver driver;
  driver.answer({tool("yes"), tool("ask", {}, Verdict::kAsk), tool("no", {}, Verdict::kDeny)});
  EXPECT_EQ(driver.step("yes"), "intent");
  EXPECT_EQ(driver.step("ask"), "awaiting_approval");
  EXPECT_EQ(driver.step("no"), "denied");
  EXPECT_EQ(driver.sends().size(), 1u);
  EXPECT_TRUE(driver.plan_is_open()) << "a denial is news";
}

TEST(Step, AttemptsAreBoundedForEveryClassAndUnansweredOutcome) {
  for (const EffectClass effect :
       {EffectClass::kRead, EffectClass::kRepeat, EffectClass::kIdempotent, EffectClass::kProbe,
        EffectClass::kOnce}) {
    for (const Outcome outcome : {kNotSent, kDeferred, kInDoubt}) {
      Contract terms = idempotent(4);
      terms.effect = effect;
      Driver driver;
      driver.answer({tool("a", terms)});
      for (int i = 0; i < 20 && driver.step("a") != "failed" && driver.step("a") != "needs_human";
           ++i) {
        if (driver.step("a") == "intent") {
          driver.settle("a", outcome);
        } else {
          driver.fire_retry("a");
        }
      }
      const bool resent = outcome != kInDoubt || effect <= EffectClass::kIdempotent;
      EXPECT_EQ(driver.sends_of("a"), resent ? 4u : 1u)
          << to_string(effect) << ", " << to_string(outcome);
      EXPECT_TRUE(driver.step("a") == "failed" || driver.step("a") == "needs_human");
    }
  }
}

TEST(Step, AResendOfOneGroupHasTheSameKeyAndTheSameEnd) {
  Driver driver;
  driver.answer({tool("a", idempotent())});
  driver.settle("a", kInDoubt);
  driver.fire_retry("a");
  driver.settle("a", kNotSent);
  driver.fire_retry("a");
  ASSERT_EQ(driver.sends_of("a"), 3u);
  for (const Send& send : driver.sends()) {
    EXPECT_EQ(send.group, 1u);
    EXPECT_EQ(send.not_after_ms, kStartMs + 540'000) << "horizon - margin after the first intent";
  }
}

TEST(Step, TheFirstSendHasAnEndToo) {
  Driver driver;
  driver.answer({tool("a", idempotent()), tool("b", contract(EffectClass::kRead))});
  EXPECT_EQ(driver.sends()[0].not_after_ms, kStartMs + 540'000);
  EXPECT_EQ(driver.sends()[1].not_after_ms, 0);
}

TEST(Step, AnExpiredKeyIsNotUsedInDoubt) {
  for (const int64_t late_ms : {-1, 0}) {
    Driver driver;
    driver.answer({tool("a", idempotent())});
    driver.settle("a", kInDoubt);
    driver.pass(540'000 + late_ms);
    driver.fire_retry("a");
    EXPECT_EQ(driver.step("a"), late_ms < 0 ? "intent" : "needs_human");
  }
}

TEST(Step, AnExpiredKeyMakesANewGroupWhereNothingCanHaveHappened) {
  for (const Outcome outcome : {kNotSent, kDeferred}) {
    Driver driver;
    driver.answer({tool("a", idempotent())});
    driver.settle("a", outcome);
    driver.pass(540'000);
    driver.fire_retry("a");
    ASSERT_EQ(driver.sends_of("a"), 2u);
    EXPECT_EQ(driver.sends()[1].group, 2u);
    EXPECT_EQ(driver.sends()[1].not_after_ms, driver.now_ms() + 540'000);
  }
}

TEST(Step, AKeyInProgressThatExpiresIsADoubt) {
  Driver driver;
  driver.answer({tool("a", idempotent())});
  driver.settle("a", kDeferred, FailureClass::kAmbiguous);
  driver.pass(540'000);
  driver.fire_retry("a");
  EXPECT_EQ(driver.step("a"), "needs_human");
  EXPECT_EQ(driver.sends_of("a"), 1u);
}

// The last attempt was not sent, but the first may have happened: that is not "failed".
TEST(Step, NotSentAtLastDoesNotUndoAnEarlierDoubt) {
  for (const OnDoubt on_doubt : {OnDoubt::kAsk, OnDoubt::kError}) {
    Driver driver;
    driver.answer({tool("a", idempotent(2, on_doubt))});
    driver.settle("a", kInDoubt);
    driver.fire_retry("a");
    driver.settle("a", kNotSent);
    EXPECT_EQ(driver.step("a"), on_doubt == OnDoubt::kAsk ? "needs_human" : "unknown");
  }
}

TEST(Step, ACancelDoesNotUndoAnEarlierDoubtEither) {
  Driver driver;
  driver.answer({tool("a", idempotent(3))});
  driver.settle("a", kInDoubt);
  driver.fire_retry("a");
  driver.settle("a", kNotSent);
  driver.cancel();
  EXPECT_EQ(driver.step("a"), "needs_human");
  EXPECT_EQ(driver.status(), TaskStatus::kWorking);
}

// The first send may have come in; that the key of the account was withdrawn since says nothing.
TEST(Step, BeingTurnedAwayDoesNotUndoAnEarlierDoubt) {
  struct Case {
    EffectClass effect;
    FailureClass failure;
    std::string state;
  };
  const Case kTable[] = {{EffectClass::kIdempotent, FailureClass::kAuth, "needs_human"},
                         {EffectClass::kIdempotent, FailureClass::kQuota, "needs_human"},
                         {EffectClass::kIdempotent, FailureClass::kInvalid, "needs_human"},
                         {EffectClass::kRead, FailureClass::kAuth, "failed"}};
  for (const Case& c : kTable) {
    Contract terms = idempotent(2);
    terms.effect = c.effect;
    Driver driver;
    driver.answer({tool("a", terms), tool("b", terms)});
    driver.settle("b", kFailed, c.failure);
    EXPECT_EQ(driver.step("b"), "failed") << "nothing of it was in doubt";
    driver.settle("a", kInDoubt);
    driver.fire_retry("a");
    driver.settle("a", kFailed, c.failure);
    EXPECT_EQ(driver.step("a"), c.state) << to_string(c.failure);
  }
}

TEST(Step, DeferredWaitsAtLeastAsLongAsAsked) {
  Driver driver;
  driver.answer({tool("a", contract(EffectClass::kOnce, 2))});
  driver.settle("a", kDeferred, FailureClass::kRateLimit, 3'600'000);
  const TimerSet& set = driver.last<TimerSet>();
  EXPECT_EQ(set.purpose, TimerPurpose::kRetry);
  EXPECT_GE(set.due_ms, kStartMs + 3'600'000);
  driver.pass(set.due_ms - kStartMs - 1);
  EXPECT_FALSE(driver.apply(FireTimer{set.timer}).reply) << "early";
  EXPECT_EQ(driver.sends_of("a"), 1u);
  driver.pass(1);
  EXPECT_TRUE(driver.apply(FireTimer{set.timer}).reply);
  EXPECT_EQ(driver.sends_of("a"), 2u);
  EXPECT_TRUE(driver.apply(FireTimer{set.timer}).records.empty()) << "a timer fires once";
}

TEST(Step, OnDoubtErrorTellsThePlannerAndCountsAsDoubt) {
  for (const EffectClass effect : {EffectClass::kProbe, EffectClass::kOnce}) {
    Driver driver;
    driver.answer({tool("a", contract(effect, 1, OnDoubt::kError))});
    driver.settle("a", kInDoubt);
    EXPECT_EQ(driver.step("a"), "unknown");
    EXPECT_EQ(driver.questions(), 0u);
    EXPECT_TRUE(driver.plan_is_open());
  }
}

TEST(Step, APersonResolvesADoubt) {
  const std::pair<Decision, std::string> kTable[] = {{Decision::kHappened, "succeeded"},
                                                     {Decision::kNotHappened, "failed"},
                                                     {Decision::kDismiss, "unknown"}};
  for (const auto& [decision, state] : kTable) {
    Driver driver;
    driver.answer({tool("a")});
    driver.settle("a", kInDoubt);
    const Seq question = driver.question(InterruptReason::kUncertainOutcome);
    EXPECT_EQ(driver.status(), TaskStatus::kInputRequired);
    EXPECT_FALSE(driver.plan_is_open());
    for (const Decision wrong : {Decision::kApprove, Decision::kReject, Decision::kWithdrawn}) {
      EXPECT_FALSE(driver.decide(question, wrong).reply);
    }
    EXPECT_TRUE(driver.decide(question, decision).reply);
    EXPECT_EQ(driver.step("a"), state);
    EXPECT_EQ(driver.count<StepSettled>(), 1u) << "what was asserted is not what was observed";
    EXPECT_TRUE(driver.plan_is_open());
  }
}

TEST(Step, ALateAnswerIsAnAnomalyAndChangesNothing) {
  Driver driver;
  driver.answer({tool("a", contract(EffectClass::kRead, 2))});
  driver.settle("a", kInDoubt);
  driver.fire_retry("a");
  SettleStep late;
  late.step = "a";
  late.attempt = 1;
  late.outcome = kSucceeded;
  EXPECT_TRUE(driver.apply(late).reply) << "of an older attempt";
  EXPECT_EQ(driver.step("a"), "intent");
  EXPECT_EQ(driver.count<AnomalyNoted>(), 1u);
  driver.settle("a", kFailed);
  late.attempt = 2;
  driver.apply(late);
  EXPECT_EQ(driver.step("a"), "failed") << "terminal never changes";
  EXPECT_EQ(driver.count<AnomalyNoted>(), 2u);
}

TEST(Step, ALateAnswerAfterTheEndIsKeptAsEvidence) {
  Driver driver;
  driver.answer({tool("a", contract(EffectClass::kOnce, 1, OnDoubt::kError))});
  driver.settle("a", kInDoubt);
  driver.answer({CompleteAction{}});
  ASSERT_EQ(driver.status(), TaskStatus::kCompleted);
  EXPECT_TRUE(driver.settle("a", kSucceeded).reply);
  EXPECT_EQ(driver.count<AnomalyNoted>(), 1u);
  EXPECT_EQ(driver.step("a"), "unknown");
}

TEST(Step, LateAnswersDoNotFillTheJournal) {
  Driver driver;
  driver.answer({tool("a")});
  driver.settle("a", kSucceeded);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(driver.settle("a", kInDoubt).reply);
  EXPECT_LE(driver.count<AnomalyNoted>(), 100u);
}

CallAction background_model(uint32_t max_attempts = 2) {
  CallAction call = model("m", 100);
  call.contract.effect = EffectClass::kRepeat;
  call.contract.max_attempts = max_attempts;
  return call;
}

TEST(Step, AnAnswerWithANameIsFetchedAfterACrash) {
  Driver driver;
  driver.answer({background_model()});
  EXPECT_EQ(driver.sends().back().provider_id, "");
  driver.apply(NoteProviderId{"m", 1, "resp_1"});
  EXPECT_EQ(driver.last<StepProgressed>().provider_id, "resp_1");
  driver.restart();
  EXPECT_EQ(driver.step("m"), "intent") << "nothing is in doubt";
  EXPECT_EQ(driver.sends().back().provider_id, "resp_1");
  EXPECT_EQ(driver.sends().back().attempt, 1u);
  driver.settle_using("m", kSucceeded, Usage{.cost_micro_usd = 60, .model_calls = 1});
  EXPECT_EQ(driver.step("m"), "succeeded");
  EXPECT_EQ(driver.state().spent.cost_micro_usd, 60);
}

TEST(Step, AnAnswerThatNobodyWantsIsNotFetchedAfterACrash) {
  Driver driver;
  driver.answer({background_model()});
  driver.apply(NoteProviderId{"m", 1, "resp_1"});
  driver.cancel();
  ASSERT_EQ(driver.step("m"), "intent") << "aborted, but not over";
  driver.restart();
  EXPECT_EQ(driver.sends_of("m"), 1u);
  EXPECT_EQ(driver.status(), TaskStatus::kCancelled);
  EXPECT_EQ(driver.state().spent.cost_micro_usd, 100) << "it may have been paid for";
}

TEST(Step, AnAnswerThatIsStillComputedIsFetchedAgainAndKeepsItsReservation) {
  Driver driver;
  driver.answer({background_model(1)});
  driver.apply(NoteProviderId{"m", 1, "resp_1"});
  for (int i = 0; i < 3; ++i) {  // more often than it would be sent
    driver.settle("m", kDeferred, FailureClass::kContinue);
    ASSERT_EQ(driver.step("m"), "deferred");
    EXPECT_EQ(driver.state().reserved.cost_micro_usd, 100);
    driver.fire_retry("m");
    EXPECT_EQ(driver.sends().back().provider_id, "resp_1");
    EXPECT_EQ(driver.state().reserved.cost_micro_usd, 100);
  }
  driver.cancel();
  driver.settle("m", kDeferred, FailureClass::kContinue);
  EXPECT_EQ(driver.status(), TaskStatus::kCancelled);
  EXPECT_EQ(driver.state().spent.cost_micro_usd, 100) << "it may have been paid for";
}

TEST(Step, AnAnswerThatTheProviderLostIsAskedForAnewHoweverOftenItWasFetched) {
  Driver driver;
  driver.answer({background_model(2)});
  driver.apply(NoteProviderId{"m", 1, "resp_1"});
  for (int i = 0; i < 3; ++i) {
    driver.settle("m", kDeferred, FailureClass::kContinue);
    driver.fire_retry("m");
  }
  driver.settle("m", kInDoubt, FailureClass::kAmbiguous);
  driver.fire_retry("m");
  EXPECT_EQ(driver.sends().back().provider_id, "");
  EXPECT_EQ(driver.sends().back().attempt, 5u);
  driver.settle("m", kInDoubt, FailureClass::kAmbiguous);
  EXPECT_EQ(driver.step("m"), "failed") << "called twice";
}

TEST(Step, BeingHeldBackForOthersUsesUpNoAttempt) {
  Driver driver;
  driver.answer({background_model(1)});
  for (int i = 0; i < 3; ++i) {
    driver.settle("m", kNotSent, FailureClass::kRateLimit);
    ASSERT_EQ(driver.step("m"), "not_sent");
    driver.fire_retry("m");
  }
  driver.settle("m", kSucceeded);
  EXPECT_EQ(driver.step("m"), "succeeded");
}

TEST(Step, CallsOfUnknownPriceAreCountedApart) {
  Driver driver;
  CallAction call = background_model(4);
  call.unpriced = true;
  driver.answer({call});
  driver.settle("m", kNotSent, FailureClass::kTransient);
  driver.fire_retry("m");
  driver.settle("m", kDeferred, FailureClass::kRateLimit);
  EXPECT_EQ(driver.state().unpriced_calls, 0u);
  driver.fire_retry("m");
  driver.settle("m", kInDoubt, FailureClass::kAmbiguous);
  EXPECT_EQ(driver.state().unpriced_calls, 1u) << "it may have been billed";
  driver.fire_retry("m");
  driver.apply(NoteProviderId{"m", 4, "resp_1"});
  driver.settle("m", kDeferred, FailureClass::kContinue);
  EXPECT_EQ(driver.state().unpriced_calls, 1u) << "still under way";
  driver.fire_retry("m");
  driver.settle_using("m", kSucceeded, Usage{.model_calls = 1});
  EXPECT_EQ(driver.state().unpriced_calls, 2u);
}

TEST(Step, ARefusedCallOfUnknownPriceCostNothing) {
  for (const int64_t calls : {0, 1}) {  // never sent, or refused there
    Driver driver;
    CallAction call = background_model();
    call.unpriced = true;
    driver.answer({call});
    driver.settle_using("m", kFailed, Usage{.model_calls = calls});
    EXPECT_EQ(driver.state().unpriced_calls, 0u);
  }
}

TEST(Step, AnUnpricedCallThatWasCountedCountsThoughItFailed) {
  for (const Outcome outcome : {kFailed, kDeferred}) {
    Driver driver;
    CallAction call = background_model();
    call.unpriced = true;
    driver.answer({call});
    driver.settle_using("m", outcome, Usage{.model_calls = 1, .input_tokens = 1'000});
    EXPECT_EQ(driver.state().unpriced_calls, 1u);
  }
}

TEST(Step, AnUnpricedCallThatIsGivenUpCounts) {
  Driver driver;
  CallAction call = background_model();
  call.unpriced = true;
  driver.answer({call});
  driver.apply(NoteProviderId{"m", 1, "resp_1"});
  driver.settle("m", kDeferred, FailureClass::kContinue);
  driver.cancel();
  EXPECT_EQ(driver.status(), TaskStatus::kCancelled);
  EXPECT_EQ(driver.state().unpriced_calls, 1u);
}

TEST(Step, ALimitOfMoneyDeniesCallsOfUnknownPrice) {
  Driver driver(Limits{.cost_micro_usd = 1'000'000});
  CallAction call = model("m");
  call.unpriced = true;
  driver.answer({call});
  EXPECT_EQ(driver.step("m"), "denied");
  EXPECT_TRUE(driver.sends().empty());
  EXPECT_NE(driver.last<StepPlanned>().verdict_reason.find("'large' is not known"),
            std::string::npos);
}

TEST(Step, ANameThatComesTooLateChangesNothing) {
  Driver driver;
  driver.answer({background_model(), tool("a")});
  EXPECT_TRUE(driver.apply(NoteProviderId{"m", 2, "resp_1"}).reply);
  EXPECT_TRUE(driver.apply(NoteProviderId{"m", 1, ""}).reply);
  EXPECT_TRUE(driver.apply(NoteProviderId{"m", 1, std::string(5000, 'x')}).reply);
  EXPECT_TRUE(driver.apply(NoteProviderId{"a", 1, "resp_1"}).reply) << "tools have no such names";
  EXPECT_TRUE(driver.apply(NoteProviderId{"none", 1, "resp_1"}).reply);
  driver.settle("m", kSucceeded);
  EXPECT_TRUE(driver.apply(NoteProviderId{"m", 1, "resp_1"}).reply);
  EXPECT_EQ(driver.count<StepProgressed>(), 0u);
}

TEST(Step, AnAnswerForAStepThatDoesNotExistIsRefused) {
  Driver driver;
  const auto applied = driver.settle("nobody", kSucceeded);
  ASSERT_FALSE(applied.reply);
  EXPECT_EQ(applied.reply.error().code, Code::kNotFound);
  EXPECT_TRUE(applied.records.empty());
}

TEST(Step, BackoffGrowsToItsCapAndNeverTurnsIntoNone) {
  for (const int64_t base_ms : {int64_t{0}, int64_t{100}, int64_t{1} << 45, INT64_MAX}) {
    Contract terms = contract(EffectClass::kOnce, 40);
    terms.backoff_ms = base_ms;
    terms.backoff_max_ms = base_ms == 100 ? 6'400 : base_ms;
    Driver driver;
    driver.answer({tool("a", terms)});
    int64_t longest_ms = 0;
    int64_t longest_late_ms = 0;
    for (int i = 0; i < 30; ++i) {
      driver.settle("a", kNotSent);
      const int64_t wait_ms = driver.last<TimerSet>().due_ms - driver.now_ms();
      longest_ms = std::max(longest_ms, wait_ms);
      if (i >= 20) longest_late_ms = std::max(longest_late_ms, wait_ms);
      EXPECT_GE(wait_ms, 0);
      EXPECT_LE(wait_ms, terms.backoff_max_ms);
      driver.fire_retry("a");
    }
    if (base_ms == 100) EXPECT_GT(longest_ms, 3'200) << "thirty draws";
    if (base_ms > 100) EXPECT_GT(longest_late_ms, 86'400'000) << "a huge base became a short wait";
  }
}

}  // namespace
}  // namespace perdure::test
