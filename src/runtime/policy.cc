#include "runtime/policy.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "tool/identity.h"

namespace perdure::runtime {
namespace {

template <class T>
void deny_unknown(CallAction& call, std::string_view what, const std::map<std::string, T>& known) {
  std::vector<std::string> names;
  for (const auto& [name, rules] : known) names.push_back(name);
  const auto nearest = nearest_word(call.name, names);
  call.verdict = Verdict::kDeny;
  call.verdict_reason = fmt::format("there is no {} '{}'{}", what, call.name,
                                    nearest ? fmt::format("; did you mean '{}'?", *nearest) : "");
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
  const auto found = rules_.tools.find(call.name);
  if (call.executed_by == ExecutedBy::kPlanner) {
    // Computation inside the planner, by its word; a tool that the operator configured keeps its
    // contract.
    if (found != rules_.tools.end())
      call.contract = found->second.contract;
    else
      call.contract.effect = EffectClass::kRepeat;
    return;
  }
  if (found == rules_.tools.end()) return deny_unknown(call, "tool", rules_.tools);
  const ToolRules& rules = found->second;
  call.contract = rules.contract;
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
  const auto found = rules_.models.find(call.name);
  if (found == rules_.models.end()) return deny_unknown(call, "model", rules_.models);
  const ModelRules& rules = found->second;
  call.contract = rules.contract;
  call.verdict = Verdict::kAllow;
  if (call.reserve.model_calls == 0) {
    call.reserve = estimate(rules.price, call.args.size_bytes, rules.max_output_tokens);
  }
}

}  // namespace perdure::runtime
