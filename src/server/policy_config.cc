#include "server/policy_config.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "journal/read_term.h"

namespace perdure::server {
namespace {

using runtime::Condition;
using runtime::PolicyRule;

constexpr size_t kRulesMax = 1000;
constexpr size_t kConditionsMax = 64;  // of one rule
constexpr size_t kReasonMaxBytes = 500;

struct OpName {
  std::string_view name;
  Condition::Op op;
};
constexpr OpName kOps[] = {
    {"eq", Condition::Op::kEq}, {"ne", Condition::Op::kNe},     {"gt", Condition::Op::kGt},
    {"ge", Condition::Op::kGe}, {"lt", Condition::Op::kLt},     {"le", Condition::Op::kLe},
    {"in", Condition::Op::kIn}, {"glob", Condition::Op::kGlob}, {"exists", Condition::Op::kExists}};

bool is_scalar(const json::value& value) {
  return value.is_string() || value.is_number() || value.is_bool();
}

// Why the operand cannot be one, or nothing.
std::string_view misfit(Condition::Op op, const json::value& operand) {
  switch (op) {
    case Condition::Op::kEq:
    case Condition::Op::kNe:
      return is_scalar(operand) ? "" : "expected a string, a number or a boolean";
    case Condition::Op::kIn: {
      const json::array* items = operand.if_array();
      const bool fits = items != nullptr && !items->empty() &&
                        std::all_of(items->begin(), items->end(), is_scalar);
      return fits ? "" : "expected an array of strings, numbers or booleans";
    }
    case Condition::Op::kGlob:
      return operand.is_string() ? "" : "expected a string, in which '*' stands for anything";
    case Condition::Op::kExists:
      return operand.is_bool() ? "" : "expected true or false";
    default:
      return operand.is_number() ? "" : "expected a number";
  }
}

// "/currency" = "EUR" is short for "/currency" = {eq = "EUR"}.
Status read_conditions(const std::string& pointer, const json::value& value,
                       const std::string& where, std::vector<Condition>& out) {
  if (!find_pointer(json::value(), pointer)) {
    return fail(Code::kInvalid,
                fmt::format("{}: '{}' is not a JSON Pointer, such as \"/amount\"", where, pointer));
  }
  if (!value.is_object()) {
    const std::string_view why = misfit(Condition::Op::kEq, value);
    if (!why.empty()) return fail(Code::kInvalid, fmt::format("{}.{}: {}", where, pointer, why));
    out.push_back({pointer, Condition::Op::kEq, value});
    return {};
  }
  ObjectReader in(value, where + "." + pointer);
  const size_t before = out.size();
  for (const auto& [name, op] : kOps) {
    const json::value* operand = in.value(name);
    if (operand == nullptr) continue;
    if (const std::string_view why = misfit(op, *operand); !why.empty()) in.fail_at(name, why);
    out.push_back({pointer, op, *operand});
  }
  TRY_STATUS(in.finish());
  if (out.size() > before) return {};
  return fail(Code::kInvalid,
              fmt::format("{}.{}: expected a condition, such as {{gt = 100}}", where, pointer));
}

void read_effects(ObjectReader& in, std::vector<EffectClass>& out) {
  const json::value* value = in.value("effect");
  if (value == nullptr) return;
  const json::array one{*value};
  for (const json::value& word : value->is_array() ? value->get_array() : one) {
    bool known = false;
    for (size_t i = 0; i <= static_cast<size_t>(last_of(EffectClass{})); ++i) {
      const auto effect = static_cast<EffectClass>(i);
      if (!word.is_string() || word.get_string() != to_string(effect)) continue;
      out.push_back(effect);
      known = true;
    }
    if (!known) in.fail_at("effect", "expected some of read, repeat, idempotent, probe, once");
  }
  if (out.empty()) in.fail_at("effect", "names none");
}

// A rule about a tool that does not exist would be a rule that does nothing.
void check_tool(ObjectReader& in, const std::string& tool, const std::vector<std::string>& tools) {
  const bool may_be_elsewhere = tool.find_first_of("*.") != std::string::npos;
  if (may_be_elsewhere || std::find(tools.begin(), tools.end(), tool) != tools.end()) return;
  in.fail_at("tool", fmt::format("there is no tool '{}'{}", tool, did_you_mean(tool, tools)));
}

Result<PolicyRule> read_rule(const json::value& table, const std::string& where,
                             const std::vector<std::string>& tools) {
  ObjectReader in(table, where);
  PolicyRule rule;
  rule.tool = in.string("tool", rule.tool);
  check_tool(in, rule.tool, tools);
  read_effects(in, rule.effects);
  if (!in.has("then")) in.fail_at("then", "is missing: allow, ask or deny");
  rule.then = read_term<Verdict::kAllow, Verdict::kAsk, Verdict::kDeny>(in, "then", Verdict::kDeny);
  rule.reason = in.string("reason", "");
  if (rule.reason.size() > kReasonMaxBytes) {
    in.fail_at("reason", fmt::format("longer than {} bytes", kReasonMaxBytes));
  }
  const json::object* conditions = in.object("where");
  TRY_STATUS(in.finish());
  if (conditions == nullptr) return rule;
  for (const auto& [pointer, value] : *conditions) {
    TRY_STATUS(read_conditions(std::string(pointer), value, where + ".where", rule.where));
  }
  if (rule.where.size() > kConditionsMax) {
    return fail(Code::kTooLarge,
                fmt::format("{}.where: at most {} conditions", where, kConditionsMax));
  }
  return rule;
}

}  // namespace

Result<std::vector<PolicyRule>> read_policy(const json::array& tables,
                                            const std::vector<std::string>& tools) {
  if (tables.size() > kRulesMax) {
    return fail(Code::kTooLarge, fmt::format("policy: at most {} rules", kRulesMax));
  }
  std::vector<PolicyRule> rules;
  for (const json::value& table : tables) {
    TRY_ASSIGN(PolicyRule rule, read_rule(table, fmt::format("policy[{}]", rules.size()), tools));
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace perdure::server
