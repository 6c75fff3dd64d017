// Questions to people: of a planner, of a call that runs; and what becomes of one that nobody
// answers.
#include "support.h"

namespace perdure::test {
namespace {

using enum Outcome;

constexpr int64_t kHour = 3'600'000;

PeopleRules expiring(OnExpire on_expire, const std::string& respond_with = {}) {
  PeopleRules people;
  people.common.expires_ms = 72 * kHour;
  people.common.on_expire = on_expire;
  people.common.respond_with = respond_with;
  return people;
}

TEST(Question, AnAnswerIsTheResultOfItsStep) {
  Driver driver;
  driver.answer({question("q")}, {.await = step_is_done("q")});
  EXPECT_EQ(driver.step("q"), "awaiting_approval");
  EXPECT_EQ(driver.status(), TaskStatus::kInputRequired);
  driver.restart();
  const Seq asked = driver.question(InterruptReason::kQuestion);
  EXPECT_EQ(driver.decide(asked, Decision::kApprove).reply.error().code, Code::kInvalid);
  driver.give(asked, Decision::kRespond, R"("green")");
  EXPECT_EQ(driver.step("q"), "succeeded");
  EXPECT_EQ(driver.sends().size(), 0u);
  EXPECT_TRUE(driver.answered().empty()) << "nobody runs it";
  EXPECT_TRUE(driver.plan_is_open());
}

TEST(Question, MayBeDismissed) {
  Driver driver;
  driver.answer({question("q")});
  driver.decide(driver.question(InterruptReason::kQuestion), Decision::kReject);
  EXPECT_EQ(driver.step("q"), "denied");
  EXPECT_TRUE(driver.plan_is_open());
}

TEST(Question, OfACallThatRunsGoesBackToIt) {
  Driver driver;
  driver.answer({tool("a")});
  EXPECT_TRUE(driver.apply(Ask{"a", 1, "how many?", Payload::of("{}")}).reply);
  EXPECT_EQ(driver.step("a"), "intent");
  const Seq asked = driver.question(InterruptReason::kQuestion);
  EXPECT_EQ(driver.apply(Ask{"a", 1, "and when?", {}}).reply.error().code, Code::kConflict);
  driver.give(asked, Decision::kRespond, "3");
  ASSERT_EQ(driver.answered().size(), 1u);
  EXPECT_EQ(driver.answered()[0].interrupt_seq, asked);
  EXPECT_EQ(driver.answered()[0].given.view(), "3");
  EXPECT_EQ(driver.step("a"), "intent") << "the answer is not its outcome";
  for (uint32_t i = 1; i < kQuestionsMax; ++i) {
    EXPECT_TRUE(driver.apply(Ask{"a", 1, "more?", {}}).reply);
    driver.decide(driver.question(InterruptReason::kQuestion), Decision::kReject);
  }
  EXPECT_EQ(driver.apply(Ask{"a", 1, "more?", {}}).reply.error().code, Code::kExhausted);
}

TEST(Question, OfACallIsWithdrawnByIt) {
  Driver driver;
  driver.answer({tool("a")});
  EXPECT_TRUE(driver.apply(Withdraw{"a", 1}).reply->repeated) << "nothing is open";
  const auto asks = driver.apply(Ask{"a", 1, "how many?", {}});
  const Seq first = driver.question(InterruptReason::kQuestion);
  EXPECT_EQ(asks.reply->asked, first);
  EXPECT_TRUE(driver.apply(Withdraw{"a", 2}).reply->repeated) << "of another attempt";
  EXPECT_FALSE(driver.apply(Withdraw{"a", 1}).reply->repeated);
  EXPECT_EQ(driver.questions(), 0u);
  EXPECT_EQ(driver.last<InterruptResolved>().decision, Decision::kWithdrawn);
  EXPECT_EQ(driver.give(first, Decision::kRespond, "3").reply.error().code, Code::kConflict);
  EXPECT_EQ(driver.step("a"), "intent");
  driver.apply(Ask{"a", 1, "and now?", {}});
  EXPECT_GT(driver.question(InterruptReason::kQuestion), first);
  driver.settle("a", kSucceeded);
  EXPECT_TRUE(driver.apply(Withdraw{"a", 1}).reply->repeated);
}

TEST(Question, OfACallIsWithdrawnWhenItSettles) {
  Driver driver;
  driver.answer({tool("a")});
  driver.apply(Ask{"a", 1, "how many?", {}});
  const Seq asked = driver.question(InterruptReason::kQuestion);
  driver.settle("a", kSucceeded);
  EXPECT_EQ(driver.questions(), 0u);
  EXPECT_EQ(driver.last<InterruptResolved>().decision, Decision::kWithdrawn);
  EXPECT_EQ(driver.give(asked, Decision::kRespond, "3").reply.error().code, Code::kConflict);
  EXPECT_EQ(driver.apply(Ask{"a", 1, "late?", {}}).reply.error().code, Code::kConflict);
}

TEST(Question, OfACallIsWithdrawnByACrash) {
  Driver driver;
  driver.answer({tool("a")});
  driver.apply(Ask{"a", 1, "how many?", {}});
  driver.restart();
  EXPECT_EQ(driver.question(InterruptReason::kQuestion), 0u);
  EXPECT_NE(driver.question(InterruptReason::kUncertainOutcome), 0u);
  EXPECT_EQ(driver.step("a"), "needs_human");
}

TEST(Question, OfACallIsWithdrawnByACancel) {
  Driver driver;
  driver.answer({tool("a")});
  driver.apply(Ask{"a", 1, "how many?", {}});
  driver.cancel();
  ASSERT_EQ(driver.answered().size(), 1u);
  EXPECT_EQ(driver.answered()[0].decision, Decision::kWithdrawn);
  driver.settle("a", kFailed);
  EXPECT_EQ(driver.status(), TaskStatus::kCancelled);
}

TEST(Question, APlannerMayStopForAPerson) {
  Driver driver;
  driver.answer({InterruptAction{InterruptReason::kLoopDetected, "the same call again"}});
  EXPECT_FALSE(driver.plan_is_open());
  driver.restart();
  EXPECT_FALSE(driver.plan_is_open());
  driver.decide(driver.question(InterruptReason::kLoopDetected), Decision::kApprove);
  EXPECT_TRUE(driver.plan_is_open());
  driver.answer({InterruptAction{InterruptReason::kProviderRefusal, "it will not"}});
  driver.decide(driver.question(InterruptReason::kProviderRefusal), Decision::kReject);
  EXPECT_EQ(driver.status(), TaskStatus::kFailed);
  EXPECT_EQ(driver.state().ended->stop_reason, StopReason::kRefusal);
}

TEST(Expiry, WhatWasDeclaredStands) {
  struct Case {
    OnExpire on_expire;
    std::string respond_with;
    EffectClass effect;
    std::string step;
    TaskStatus status;
  };
  for (const Case& c : {
           Case{OnExpire::kReject, "", EffectClass::kOnce, "denied", TaskStatus::kWorking},
           Case{OnExpire::kApprove, "", EffectClass::kRead, "intent", TaskStatus::kWorking},
           Case{OnExpire::kApprove, "", EffectClass::kOnce, "denied", TaskStatus::kWorking},
           Case{OnExpire::kRespond, "closed", EffectClass::kOnce, "succeeded",
                TaskStatus::kWorking},
           Case{OnExpire::kRespond, "", EffectClass::kOnce, "denied", TaskStatus::kWorking},
           Case{OnExpire::kFail, "", EffectClass::kOnce, "denied", TaskStatus::kFailed},
       }) {
    Driver driver({}, expiring(c.on_expire, c.respond_with));
    driver.answer({tool("a", contract(c.effect), Verdict::kAsk)});
    const Seq asked = driver.question(InterruptReason::kToolApproval);
    driver.pass(72 * kHour - 1);
    EXPECT_EQ(driver.apply(FireTimer{"!ask/" + std::to_string(asked)}).reply.error().code,
              Code::kConflict);
    driver.restart();
    driver.fire("!ask/" + std::to_string(asked));
    EXPECT_EQ(driver.step("a"), c.step) << to_string(c.on_expire);
    EXPECT_EQ(driver.status(), c.status);
    EXPECT_TRUE(driver.last<InterruptResolved>().expired);
    EXPECT_EQ(driver.decide(asked, Decision::kApprove).reply.error().code, Code::kConflict);
    if (c.status == TaskStatus::kFailed) {
      EXPECT_EQ(driver.state().ended->stop_reason, StopReason::kExpired);
    }
  }
}

TEST(Expiry, OfARunningCallsQuestionIsNobodysNo) {
  Driver driver({}, expiring(OnExpire::kReject));
  driver.answer({tool("a")});
  driver.apply(Ask{"a", 1, "how many?", {}});
  driver.fire("!ask/" + std::to_string(driver.question(InterruptReason::kQuestion)));
  EXPECT_EQ(driver.last<InterruptResolved>().decision, Decision::kReject);
  ASSERT_EQ(driver.answered().size(), 1u);
  EXPECT_EQ(driver.answered()[0].decision, Decision::kWithdrawn);
}

TEST(Expiry, OfADoubtLeavesItUnknown) {
  Driver driver({}, expiring(OnExpire::kApprove));
  driver.answer({tool("a")});
  driver.settle("a", kInDoubt);
  const Seq asked = driver.question(InterruptReason::kUncertainOutcome);
  driver.cancel();
  EXPECT_EQ(driver.status(), TaskStatus::kWorking);
  driver.fire("!ask/" + std::to_string(asked));
  EXPECT_EQ(driver.step("a"), "unknown");
  EXPECT_EQ(driver.status(), TaskStatus::kCancelled);
}

TEST(Expiry, ApprovingInSilenceWhatActsOnceIsDeclaredForThatTool) {
  PeopleRules people = expiring(OnExpire::kReject);
  people.of_tool["pay"] = people.common;
  people.of_tool["pay"].on_expire = OnExpire::kApprove;
  Driver driver({}, people);
  driver.answer({tool("a", {}, Verdict::kAsk)});
  driver.fire("!ask/" + std::to_string(driver.question(InterruptReason::kToolApproval)));
  EXPECT_EQ(driver.step("a"), "intent");
}

TEST(Expiry, WhatIsSaidOfAServerIsSaidOfItsToolsAndIsNotTheirOwn) {
  PeopleRules people = expiring(OnExpire::kReject);
  Asking of_server = people.common;
  of_server.assignees = {"group:shop"};
  of_server.on_expire = OnExpire::kApprove;
  people.of_tool["shop.*"] = of_server;
  people.of_tool["shop.look"] = people.common;
  for (const auto& [name, assignees] : {std::pair("shop.pay", 1u), std::pair("shop.look", 0u),
                                        std::pair("shopper.pay", 0u), std::pair("shop", 0u)}) {
    Driver driver({}, people);
    CallAction call = tool("a", {}, Verdict::kAsk);
    call.name = name;
    driver.answer({call});
    const Seq asked = driver.question(InterruptReason::kToolApproval);
    EXPECT_EQ(driver.task().state.interrupts.at(asked).asking.assignees.size(), assignees) << name;
    driver.fire("!ask/" + std::to_string(asked));
    EXPECT_EQ(driver.step("a"), "denied")
        << name << " acts once, and silence approves no such call";
  }
}

// The timer may be late: the process was down.
TEST(Expiry, ADecisionThatComesAfterItIsRefused) {
  Driver driver({}, expiring(OnExpire::kReject));
  driver.answer({tool("a", {}, Verdict::kAsk)});
  const Seq asked = driver.question(InterruptReason::kToolApproval);
  driver.pass(72 * kHour);
  EXPECT_EQ(driver.decide(asked, Decision::kApprove).reply.error().code, Code::kConflict);
  EXPECT_EQ(driver.step("a"), "denied");
  EXPECT_EQ(driver.sends().size(), 0u);
}

// The sends that follow say when, whatever becomes of the process.
TEST(Interrupts, WhoMendsACredentialLetsTheNextCallsTry) {
  Driver driver;
  const auto ask = [&](InterruptReason reason, Decision decision) {
    driver.answer({InterruptAction{reason, "no money"}});
    driver.pass(1000);
    driver.decide(driver.question(reason), decision);
  };
  ask(InterruptReason::kLoopDetected, Decision::kApprove);
  driver.answer({model("m1")}, {.await = step_is_done("m1")});
  EXPECT_EQ(driver.sends().back().mended_ms, 0);
  driver.settle("m1", Outcome::kFailed, FailureClass::kQuota);
  ask(InterruptReason::kAuthRequired, Decision::kApprove);
  const int64_t mended_ms = driver.now_ms();
  driver.pass(1000);
  driver.restart();
  driver.answer({model("m2")}, {.await = step_is_done("m2")});
  EXPECT_EQ(driver.sends().back().mended_ms, mended_ms);
  driver.restart();
  EXPECT_EQ(driver.sends_of("m2"), 2u);
  EXPECT_EQ(driver.sends().back().mended_ms, mended_ms);
}

TEST(Expiry, SilenceMendsNoCredential) {
  for (const auto& [reason, decision] :
       {std::pair{InterruptReason::kAuthRequired, Decision::kReject},
        std::pair{InterruptReason::kLoopDetected, Decision::kApprove}}) {
    Driver driver({}, expiring(OnExpire::kApprove));
    driver.answer({InterruptAction{reason, "no key"}});
    driver.fire("!ask/" + std::to_string(driver.question(reason)));
    EXPECT_EQ(driver.last<InterruptResolved>().decision, decision) << to_string(reason);
  }
}

// Whatever was asked: that nobody answered is why it ended.
TEST(Expiry, ATaskThatWasToFailSaysSo) {
  for (const InterruptReason reason :
       {InterruptReason::kLoopDetected, InterruptReason::kProviderRefusal}) {
    Driver driver({}, expiring(OnExpire::kFail));
    driver.answer({InterruptAction{reason, "it goes in circles"}});
    const Seq asked = driver.question(reason);
    driver.pass(72 * kHour);
    driver.fire("!ask/" + std::to_string(asked));
    ASSERT_EQ(driver.status(), TaskStatus::kFailed);
    EXPECT_EQ(driver.state().ended->stop_reason, StopReason::kExpired);
    EXPECT_EQ(driver.state().ended->message, "nobody answered in time: it goes in circles");
  }
}

TEST(Expiry, ADecisionInTimeCancelsIt) {
  Driver driver({}, expiring(OnExpire::kFail));
  driver.answer({tool("a", {}, Verdict::kAsk)});
  driver.decide(driver.question(InterruptReason::kToolApproval), Decision::kApprove);
  EXPECT_TRUE(driver.state().timers.empty());
}

TEST(Reminders, ComeInTheirTimeAndOthersAreAskedThen) {
  PeopleRules people = expiring(OnExpire::kReject);
  people.common.assignees = {"ann"};
  people.common.remind_ms = {24 * kHour, 48 * kHour};
  people.common.escalate_ms = 48 * kHour;
  people.common.escalate_to = {"group:ops"};
  Driver driver({}, people);
  driver.answer({tool("a", {}, Verdict::kAsk)});
  const Seq asked = driver.question(InterruptReason::kToolApproval);
  const TimerId timer = "!ask/" + std::to_string(asked);
  driver.fire(timer);
  EXPECT_EQ(driver.count<InterruptReminded>(), 1u);
  EXPECT_EQ(driver.count<InterruptEscalated>(), 0u);
  driver.restart();
  driver.fire(timer);
  EXPECT_EQ(driver.count<InterruptReminded>(), 2u);
  EXPECT_EQ(driver.last<InterruptEscalated>().to, std::vector<std::string>{"group:ops"});
  EXPECT_EQ(driver.state().interrupts.at(asked).asking.assignees,
            (std::vector<std::string>{"ann", "group:ops"}));
  driver.fire(timer);
  EXPECT_EQ(driver.step("a"), "denied");
}

TEST(Reminders, ThoseOfADowntimeAreToldOnce) {
  PeopleRules people;
  people.common.remind_ms = {kHour, 2 * kHour, 3 * kHour, 9 * kHour};
  Driver driver({}, people);
  driver.answer({tool("a", {}, Verdict::kAsk)});
  driver.pass(4 * kHour);
  driver.fire("!ask/" + std::to_string(driver.question(InterruptReason::kToolApproval)));
  EXPECT_EQ(driver.count<InterruptReminded>(), 1u);
  EXPECT_EQ(driver.last<InterruptReminded>().reminders, 3u);
}

}  // namespace
}  // namespace perdure::test
