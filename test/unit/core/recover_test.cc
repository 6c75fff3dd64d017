// After a restart: what stood in INTENT follows its contract, everything else stands as it stood.
#include "support.h"

namespace perdure::test {
namespace {

using enum Outcome;

struct RecoverCase {
  EffectClass effect;
  OnDoubt on_doubt;
  uint32_t attempts;
  std::string state;  // after Recover, having stood in INTENT
};

class RecoverFromIntent : public testing::TestWithParam<RecoverCase> {};

TEST_P(RecoverFromIntent, FollowsTheContract) {
  const RecoverCase& c = GetParam();
  Contract terms = idempotent(c.attempts, c.on_doubt);
  terms.effect = c.effect;
  Driver driver;
  driver.answer({tool("a", terms)});
  driver.restart();
  EXPECT_EQ(driver.step("a"), c.state);
  EXPECT_EQ(driver.sends_of("a"), c.state == "intent" ? 2u : 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RecoverFromIntent,
    testing::Values(RecoverCase{EffectClass::kRead, OnDoubt::kAsk, 2, "intent"},
                    RecoverCase{EffectClass::kRead, OnDoubt::kAsk, 1, "failed"},
                    RecoverCase{EffectClass::kRepeat, OnDoubt::kAsk, 2, "intent"},
                    RecoverCase{EffectClass::kRepeat, OnDoubt::kError, 1, "failed"},
                    RecoverCase{EffectClass::kIdempotent, OnDoubt::kAsk, 2, "intent"},
                    RecoverCase{EffectClass::kIdempotent, OnDoubt::kAsk, 1, "needs_human"},
                    RecoverCase{EffectClass::kIdempotent, OnDoubt::kError, 1, "unknown"},
                    RecoverCase{EffectClass::kProbe, OnDoubt::kAsk, 9, "needs_human"},
                    RecoverCase{EffectClass::kProbe, OnDoubt::kError, 9, "unknown"},
                    RecoverCase{EffectClass::kOnce, OnDoubt::kAsk, 9, "needs_human"},
                    RecoverCase{EffectClass::kOnce, OnDoubt::kError, 9, "unknown"}),
    [](const auto& info) {
      return std::string(to_string(info.param.effect)) + "_" +
             std::string(to_string(info.param.on_doubt)) + "_" +
             std::to_string(info.param.attempts);
    });

// What is not INTENT stands as it stood: nothing is sent, nothing is appended.
TEST(Recover, LeavesEveryOtherStateAlone) {
  struct Case {
    std::string state;
    void (*reach)(Driver&);
  };
  const Case kTable[] = {
      {"awaiting_approval", [](Driver& d) { d.answer({tool("a", {}, Verdict::kAsk)}); }},
      {"ready",
       [](Driver& d) {
         CallAction dear = tool("a");
         dear.reserve.cost_micro_usd = 1'000;
         d.answer({dear});
       }},
      {"not_sent",
       [](Driver& d) {
         d.answer({tool("a", idempotent())});
         d.settle("a", kNotSent);
       }},
      {"deferred",
       [](Driver& d) {
         d.answer({tool("a", idempotent())});
         d.settle("a", kDeferred);
       }},
      {"in_doubt",
       [](Driver& d) {
         d.answer({tool("a", idempotent())});
         d.settle("a", kInDoubt);
       }},
      {"needs_human",
       [](Driver& d) {
         d.answer({tool("a")});
         d.settle("a", kInDoubt);
       }},
      {"succeeded",
       [](Driver& d) {
         d.answer({tool("a")});
         d.settle("a", kSucceeded);
       }},
      {"denied", [](Driver& d) { d.answer({tool("a", {}, Verdict::kDeny)}); }},
  };
  for (const Case& c : kTable) {
    Driver driver(Limits{.cost_micro_usd = 100});
    c.reach(driver);
    ASSERT_EQ(driver.step("a"), c.state);
    const size_t sends = driver.sends().size();
    EXPECT_TRUE(driver.restart().records.empty()) << c.state;
    EXPECT_EQ(driver.step("a"), c.state);
    EXPECT_EQ(driver.sends().size(), sends);
  }
}

TEST(Recover, OfALivingTaskDoubtsNothing) {
  Driver driver;
  driver.answer({tool("a")});
  EXPECT_TRUE(driver.apply(Recover{}).records.empty());
  EXPECT_EQ(driver.step("a"), "intent");
}

TEST(Recover, KeepsADecisionThatNoSendHasConsumed) {
  Driver driver(Limits{.cost_micro_usd = 100});
  CallAction dear = tool("a", {}, Verdict::kAsk);
  dear.reserve.cost_micro_usd = 1'000;
  driver.answer({dear});
  const Seq asked = driver.question(InterruptReason::kToolApproval);
  driver.decide(asked, Decision::kApprove);
  const Seq approval = driver.records()[driver.records().size() - 2].seq;
  driver.restart();
  driver.decide(driver.question(InterruptReason::kBudgetReached), Decision::kApprove,
                Usage{.cost_micro_usd = 1'000});
  EXPECT_EQ(driver.step("a"), "intent");
  EXPECT_EQ(driver.last<StepIntended>().decision_seq, approval);
}

}  // namespace
}  // namespace perdure::test
