// What the operator's policy says of a call, whatever its arguments are.
#include "runtime/policy_rules.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace perdure::runtime {
namespace {

using Op = Condition::Op;

PolicyRule rule(std::string tool, Verdict then, std::vector<Condition> where = {}) {
  PolicyRule made;
  made.tool = std::move(tool);
  made.then = then;
  made.where = std::move(where);
  return made;
}

std::string ruled(const std::vector<PolicyRule>& rules, std::string_view args,
                  std::string_view tool = "payments", EffectClass effect = EffectClass::kOnce) {
  const auto ruling =
      rule_on(rules, tool, effect, parse_json(args, "args").value_or(json::value()));
  return ruling ? std::string(to_string(ruling->verdict)) : "none";
}

TEST(PolicyRules, AConditionHoldsDoesNotOrIsNotKnown) {
  const std::string kBoth = "both", kNeither = "neither", kUnknown = "unknown";
  const auto check = [&](const Condition& condition, const std::string& args,
                         const std::string& expected) {
    const bool deny = ruled({rule("*", Verdict::kDeny, {condition})}, args) == "deny";
    const bool allow = ruled({rule("*", Verdict::kAllow, {condition})}, args) == "allow";
    const std::string seen = deny && allow ? kBoth : !deny && !allow ? kNeither : kUnknown;
    EXPECT_EQ(seen, expected) << condition.pointer << " " << static_cast<int>(condition.op) << " "
                              << args;
    EXPECT_FALSE(!deny && allow) << "looser than strict: " << args;
  };
  const Condition above{"/n", Op::kGt, 100};
  check(above, R"({"n":101})", kBoth);
  check(above, R"({"n":100})", kNeither);
  check(above, R"({"n":100.5})", kBoth);
  check(above, R"({"n":1e300})", kBoth);
  check(above, R"({"n":-5})", kNeither);
  check(above, R"({"n":"1000"})", kUnknown);
  check(above, R"({"n":null})", kUnknown);
  check(above, R"({})", kUnknown);
  check(above, R"([1])", kUnknown);
  check(above, "not json", kUnknown);
  // Next to each other, beyond what a double can tell apart.
  const Condition precise{"/n", Op::kGt, 9007199254740992};
  check(precise, R"({"n":9007199254740993})", kBoth);
  check(precise, R"({"n":9007199254740992})", kNeither);
  check({"/n", Op::kLe, 18446744073709551615u}, R"({"n":18446744073709551615})", kBoth);
  check({"/n", Op::kEq, 1}, R"({"n":1.0})", kBoth);
  check({"/n", Op::kEq, "a"}, R"({"n":1})", kUnknown);
  check({"/n", Op::kNe, "a"}, R"({"n":"b"})", kBoth);
  check({"/n", Op::kNe, "a"}, R"({"n":["a"]})", kUnknown);
  check({"/a/0/b", Op::kEq, true}, R"({"a":[{"b":true}]})", kBoth);
  check({"/n", Op::kIn, json::array{"EUR", "USD"}}, R"({"n":"USD"})", kBoth);
  check({"/n", Op::kIn, json::array{"EUR", "USD"}}, R"({"n":"GBP"})", kNeither);
  check({"/n", Op::kIn, json::array{"EUR", 1}}, R"({"n":"GBP"})", kUnknown);
  check({"/to", Op::kGlob, "*@shop.example"}, R"({"to":"a@shop.example"})", kBoth);
  check({"/to", Op::kGlob, "*@shop.example"}, R"({"to":"a@shop.example.evil"})", kNeither);
  check({"/to", Op::kGlob, "*"}, R"({"to":["a"]})", kUnknown);
  check({"/n", Op::kExists, true}, R"({"n":null})", kBoth);
  check({"/n", Op::kExists, true}, R"({})", kNeither);
  check({"/n", Op::kExists, false}, R"({})", kBoth);
}

TEST(PolicyRules, ARuleAboutNoToolIsNamed) {
  const std::vector<PolicyRule> rules{rule("*", Verdict::kAsk), rule("shop.refnud", Verdict::kDeny),
                                      rule("shop.ref*", Verdict::kDeny),
                                      rule("shopp.*", Verdict::kDeny),
                                      rule("shop.refund", Verdict::kDeny)};
  EXPECT_EQ(names_of_no_tool(rules, {"payments", "shop.refund"}),
            (std::vector<std::string>{"shop.refnud", "shopp.*"}));
  EXPECT_TRUE(names_of_no_tool({rule("*", Verdict::kDeny)}, {}).empty());
}

TEST(PolicyRules, AllConditionsOfARuleHold) {
  const std::vector<PolicyRule> rules = {
      rule("*", Verdict::kAsk, {{"/n", Op::kGt, 100}, {"/c", Op::kEq, "USD"}})};
  EXPECT_EQ(ruled(rules, R"({"n":200,"c":"USD"})"), "ask");
  EXPECT_EQ(ruled(rules, R"({"n":200,"c":"EUR"})"), "none");
  EXPECT_EQ(ruled(rules, R"({"c":"EUR"})"), "none") << "one of them is known not to hold";
  EXPECT_EQ(ruled(rules, R"({"c":"USD"})"), "ask");
}

TEST(PolicyRules, TheStrictestCountsWhereverItStands) {
  const PolicyRule allow = rule("pay*", Verdict::kAllow);
  const PolicyRule ask = rule("payments", Verdict::kAsk);
  const PolicyRule deny = rule("*", Verdict::kDeny, {{"/n", Op::kGt, 1000}});
  std::vector<PolicyRule> rules = {allow, ask, deny};
  do {
    EXPECT_EQ(ruled(rules, R"({"n":1})"), "ask");
    EXPECT_EQ(ruled(rules, R"({"n":1001})"), "deny");
    EXPECT_EQ(ruled(rules, R"({"n":1})", "pay_out"), "allow");
    EXPECT_EQ(ruled(rules, R"({"n":1})", "other"), "none");
    std::rotate(rules.begin(), rules.begin() + 1, rules.end());
  } while (rules.front().tool != "pay*");
}

TEST(PolicyRules, ByEffectClass) {
  PolicyRule made = rule("*", Verdict::kDeny);
  made.effects = {EffectClass::kOnce, EffectClass::kIdempotent};
  EXPECT_EQ(ruled({made}, "{}", "x", EffectClass::kOnce), "deny");
  EXPECT_EQ(ruled({made}, "{}", "x", EffectClass::kRead), "none");
}

}  // namespace
}  // namespace perdure::runtime
