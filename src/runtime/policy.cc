#include "runtime/policy.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.h"
#include "base/json.h"
#include "base/text.h"
#include "runtime/answer_rules.h"
#include "schema/schema.h"
#include "tool/identity.h"

namespace perdure::runtime {
namespace {

void deny(CallAction& call, std::string reason) {
  call.verdict = Verdict::kDeny;
  call.verdict_reason = std::move(reason);
}

void deny_unknown(CallAction& call, std::string_view what, const std::vector<std::string>& names) {
  deny(call, fmt::format("there is no {} '{}'{}", what, call.name, did_you_mean(call.name, names)));
}

}  // namespace

Status ContractPolicy::judge(const std::string& agent_version, AnswerTurn& turn) {
  std::shared_ptr<const AgentSpec> spec;
  if (!agent_version.empty()) {
    TRY_ASSIGN(spec, versions_.spec(agent_version));
  }
  for (Action& action : turn.actions) {
    auto* call = std::get_if<CallAction>(&action);
    if (call == nullptr || call->verdict == Verdict::kDeny) continue;
    if (call->kind == CallKind::kModel) {
      judge_model(*call);
    } else {
      judge_tool(*call, spec.get(), turn.guarded);
    }
  }
  return {};
}

Status ContractPolicy::judge_edit(const std::string& agent_version, const std::string& tool,
                                  Resolve& edit) {
  const auto found = tools_.ruling(tool);
  if (!found) {
    return fail(Code::kInvalid, fmt::format("the tool '{}' is not configured any more", tool));
  }
  const std::string_view args = edit.given.view();
  TRY_STATUS(check_args(agent_version, tool, args));
  TRY_ASSIGN(const json::value parsed, parse_json(args, "args"));
  const auto ruling = rule_on(rules_, tool, found->rules.contract.effect, parsed);
  const bool denied = ruling && ruling->verdict == Verdict::kDeny;
  if (denied && !hooks::planted(hooks::Bug::kEditLiftsDeny)) {
    return fail(Code::kInvalid,
                fmt::format("args: the policy denies '{}' with these arguments{}{}", tool,
                            ruling->reason.empty() ? "" : ": ", ruling->reason));
  }
  edit.identity = identity_of_value(tool, found->rules.identity, parsed);
  return {};
}

Status ContractPolicy::judge_answer(const Payload& question, const Payload& answer) {
  return check_answer(question.view(), answer.view());
}

// By the schema that the agent's version has, or else by the tool's own as it is now.
Status ContractPolicy::check_args(const std::string& agent_version, const std::string& tool,
                                  std::string_view args) const {
  TRY_ASSIGN(const json::value parsed, parse_json(args, "args"));
  if (!parsed.is_object()) return fail(Code::kInvalid, "args: expected a JSON object");
  if (!agent_version.empty()) {
    const auto spec = versions_.spec(agent_version);
    if (spec && (*spec)->find_tool(tool) != nullptr) {
      const auto compiled = (*spec)->input_schemas.find(tool);
      if (compiled == (*spec)->input_schemas.end()) return {};
      return check_text(compiled->second, args, "args");
    }
  }
  for (const ToolEntry& entry : tools_.tools()) {
    if (entry.name == tool) return check_text(entry.input_schema, args, "args");
  }
  return {};
}

void ContractPolicy::judge_tool(CallAction& call, const AgentSpec* spec, bool guarded) const {
  const auto ruling = tools_.ruling(call.name);
  if (call.executed_by == ExecutedBy::kPlanner) {
    // Computation inside the planner, by its word; a tool that the operator configured keeps its
    // contract.
    if (ruling)
      call.contract = ruling->rules.contract;
    else
      call.contract.effect = EffectClass::kRepeat;
    return;
  }
  if (!ruling) return deny_unknown(call, "tool", tools_.names());
  const ToolRules& rules = ruling->rules;
  call.contract = rules.contract;
  if (!ruling->refusal.empty()) return deny(call, ruling->refusal);
  call.reserve.tool_calls = 1;
  call.verdict = rules.ask ? Verdict::kAsk : Verdict::kAllow;
  const bool is_read = guarded || !rules_.empty();
  const auto args = is_read ? parse_json(call.args.view(), "args") : json::value();
  if (auto ruled = rule_on(rules_, call.name, call.contract.effect,
                           args ? *args : json::value())) {  // null: nothing in it is known
    call.verdict = ruled->verdict;
    call.verdict_reason = std::move(ruled->reason);
    if (call.verdict == Verdict::kDeny && call.verdict_reason.empty()) {
      call.verdict_reason = "the operator's policy denies it";
    }
  }
  if (call.verdict == Verdict::kAllow && spec != nullptr && spec->asks_always(call.name)) {
    call.verdict = Verdict::kAsk;
    call.verdict_reason = "the agent file says approval = \"always\"";
  }
  if (guarded && args) call.identity = identity_of_value(call.name, rules.identity, *args);
  if (guarded && !args) call.identity = identity_of(call.name, rules.identity, call.args.view());
}

void ContractPolicy::judge_model(CallAction& call) const {
  if (call.executed_by == ExecutedBy::kPlanner) {
    call.contract.effect = EffectClass::kRepeat;  // it ran already; nothing is sent from here
    return;
  }
  const auto found = models_.find(call.name);
  if (found == models_.end()) {
    std::vector<std::string> names;
    for (const auto& [name, rules] : models_) names.push_back(name);
    return deny_unknown(call, "model", names);
  }
  const ModelRules& rules = found->second;
  call.contract = rules.contract;
  if (call.attempts_max > 0) {
    call.contract.max_attempts = std::min(call.contract.max_attempts, call.attempts_max);
  }
  call.verdict = Verdict::kAllow;
  call.unpriced = !rules.price.known;
  if (call.reserve.model_calls == 0) {
    call.reserve = estimate(rules.price, call.args.size_bytes, rules.max_output_tokens);
  }
}

}  // namespace perdure::runtime
