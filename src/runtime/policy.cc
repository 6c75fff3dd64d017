#include "runtime/policy.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "tool/identity.h"

namespace perdure::runtime {
namespace {

void deny(CallAction& call, std::string reason) {
  call.verdict = Verdict::kDeny;
  call.verdict_reason = std::move(reason);
}

void deny_unknown(CallAction& call, std::string_view what, const std::vector<std::string>& names) {
  const auto nearest = nearest_word(call.name, names);
  deny(call, fmt::format("there is no {} '{}'{}", what, call.name,
                         nearest ? fmt::format("; did you mean '{}'?", *nearest) : ""));
}

}  // namespace

void ContractPolicy::judge(const std::string&, const std::string& agent_version, AnswerTurn& turn) {
  std::shared_ptr<const AgentSpec> spec;
  if (!agent_version.empty()) {
    if (auto found = versions_.spec(agent_version)) spec = *found;
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
  const bool tightened = spec != nullptr && spec->asks_always(call.name);
  call.verdict = rules.ask || tightened ? Verdict::kAsk : Verdict::kAllow;
  if (tightened) call.verdict_reason = "the agent file says approval = \"always\"";
  if (guarded) call.identity = identity_of(call.name, rules.identity, call.args.view());
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
  call.verdict = Verdict::kAllow;
  if (call.reserve.model_calls == 0) {
    call.reserve = estimate(rules.price, call.args.size_bytes, rules.max_output_tokens);
  }
}

}  // namespace perdure::runtime
