#include "runtime/policy_rules.h"

#include <algorithm>
#include <limits>

#include "base/glob.h"

namespace perdure::runtime {
namespace {

enum class Truth : uint8_t { kNo, kUnknown, kYes };

Truth truth(bool holds) {
  return holds ? Truth::kYes : Truth::kNo;
}

// Exact for every number that JSON text becomes.
static_assert(std::numeric_limits<long double>::digits >= 64);
long double number_of(const json::value& value) {
  if (value.is_int64()) return static_cast<long double>(value.get_int64());
  if (value.is_uint64()) return static_cast<long double>(value.get_uint64());
  return static_cast<long double>(value.get_double());
}

Truth equal(const json::value& value, const json::value& operand) {
  if (value.is_number() && operand.is_number()) {
    return truth(number_of(value) == number_of(operand));
  }
  if (value.kind() != operand.kind() || value.is_structured()) return Truth::kUnknown;
  return truth(value == operand);
}

Truth is_in(const json::value& value, const json::array& operands) {
  Truth found = Truth::kNo;
  for (const json::value& operand : operands) found = std::max(found, equal(value, operand));
  return found;
}

Truth compare(Condition::Op op, const json::value& value, const json::value& operand) {
  if (!value.is_number() || !operand.is_number()) return Truth::kUnknown;
  const long double left = number_of(value);
  const long double right = number_of(operand);
  switch (op) {
    case Condition::Op::kGt:
      return truth(left > right);
    case Condition::Op::kGe:
      return truth(left >= right);
    case Condition::Op::kLt:
      return truth(left < right);
    default:
      return truth(left <= right);
  }
}

Truth holds(const Condition& condition, const json::value& args) {
  const auto found = find_pointer(args, condition.pointer);
  const json::value* value = found ? *found : nullptr;
  if (condition.op == Condition::Op::kExists) {
    return truth((value != nullptr) == (condition.operand == json::value(true)));
  }
  if (value == nullptr) return Truth::kUnknown;
  switch (condition.op) {
    case Condition::Op::kEq:
      return equal(*value, condition.operand);
    case Condition::Op::kNe: {
      const Truth same = equal(*value, condition.operand);
      return same == Truth::kUnknown ? same : truth(same == Truth::kNo);
    }
    case Condition::Op::kIn:
      return condition.operand.is_array() ? is_in(*value, condition.operand.get_array())
                                          : Truth::kUnknown;
    case Condition::Op::kGlob:
      if (!value->is_string() || !condition.operand.is_string()) return Truth::kUnknown;
      return truth(matches_glob(condition.operand.get_string(), value->get_string()));
    default:
      return compare(condition.op, *value, condition.operand);
  }
}

bool names(const PolicyRule& rule, std::string_view tool, EffectClass effect) {
  const auto& effects = rule.effects;
  return matches_glob(rule.tool, tool) &&
         (effects.empty() || std::find(effects.begin(), effects.end(), effect) != effects.end());
}

bool holds(const PolicyRule& rule, const json::value& args) {
  Truth all = Truth::kYes;
  for (const Condition& condition : rule.where) all = std::min(all, holds(condition, args));
  return all == Truth::kYes || (all == Truth::kUnknown && rule.then != Verdict::kAllow);
}

}  // namespace

std::vector<std::string> names_of_no_tool(const std::vector<PolicyRule>& rules,
                                          const std::vector<std::string>& tools) {
  std::vector<std::string> names;
  for (const PolicyRule& rule : rules) {
    const bool is_of_one = std::any_of(tools.begin(), tools.end(), [&](const std::string& tool) {
      return matches_glob(rule.tool, tool);
    });
    if (!is_of_one && rule.tool != "*") names.push_back(rule.tool);
  }
  return names;
}

std::optional<Ruling> rule_on(const std::vector<PolicyRule>& rules, std::string_view tool,
                              EffectClass effect, const json::value& args) {
  std::optional<Ruling> strictest;
  for (const PolicyRule& rule : rules) {
    if (!names(rule, tool, effect)) continue;
    if (strictest && strictest->verdict >= rule.then) continue;
    if (holds(rule, args)) strictest = Ruling{rule.then, rule.reason};
  }
  return strictest;
}

}  // namespace perdure::runtime
