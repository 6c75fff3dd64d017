#pragma once
// The operator's contracts, applied to the calls of a turn.
#include <map>
#include <string>
#include <vector>

#include "journal/price.h"
#include "ports/policy.h"
#include "runtime/agent_versions.h"
#include "runtime/policy_rules.h"
#include "runtime/tool_router.h"

namespace perdure::runtime {

struct ModelRules {
  Contract contract;
  ModelPrice price;
  int64_t max_output_tokens = 0;
};

using Models = std::map<std::string, ModelRules>;

class ContractPolicy : public Policy {
 public:
  ContractPolicy(const Models& models, const ToolRouter& tools,
                 const std::vector<PolicyRule>& rules, AgentVersions& versions)
      : models_(models), tools_(tools), rules_(rules), versions_(versions) {}

  Status judge(const std::string& agent_version, AnswerTurn& turn) override;
  Status judge_edit(const std::string& agent_version, const std::string& tool,
                    Resolve& edit) override;
  Status judge_answer(const Payload& question, const Payload& answer) override;

 private:
  void judge_tool(CallAction& call, const AgentSpec* spec, bool guarded) const;
  void judge_model(CallAction& call) const;
  Status check_args(const std::string& agent_version, const std::string& tool,
                    std::string_view args) const;

  const Models& models_;
  const ToolRouter& tools_;
  const std::vector<PolicyRule>& rules_;
  AgentVersions& versions_;
};

}  // namespace perdure::runtime
