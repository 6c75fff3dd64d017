#pragma once
// The operator's policy: which calls are allowed, asked about, denied. A rule names calls by tool,
// effect class and arguments.
//
// Of the rules that hold, the strictest counts, wherever it stands: a rule can be added without
// reading the others, and nothing lifts a denial. Where none holds, the tool's own `approval` does.
// A condition on a value that is missing or cannot be compared is not known to be true or false:
// rules that ask or deny hold then, rules that allow do not.
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "journal/terms.h"

namespace perdure::runtime {

struct Condition {
  enum class Op : uint8_t { kEq, kNe, kGt, kGe, kLt, kLe, kIn, kGlob, kExists };
  std::string pointer;  // JSON Pointer into the arguments
  Op op = Op::kEq;
  json::value operand;  // a scalar; kIn: an array of them; kGlob: a string; kExists: a boolean
};

struct PolicyRule {
  std::string tool = "*";            // a glob
  std::vector<EffectClass> effects;  // empty: any
  std::vector<Condition> where;      // all of them
  Verdict then = Verdict::kDeny;
  std::string reason;
};

struct Ruling {
  Verdict verdict = Verdict::kAsk;
  std::string reason;
};

// The rules that can be about none of these tools: mistyped, most likely.
std::vector<std::string> names_of_no_tool(const std::vector<PolicyRule>& rules,
                                          const std::vector<std::string>& tools);

// Total: for any rules and arguments there is an answer. `args` of a call; null: nothing of them is
// known.
std::optional<Ruling> rule_on(const std::vector<PolicyRule>& rules, std::string_view tool,
                              EffectClass effect, const json::value& args);

}  // namespace perdure::runtime
