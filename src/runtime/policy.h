#pragma once
// The operator's contracts, applied to the calls of a turn.
#include <map>
#include <string>
#include <vector>

#include "journal/price.h"
#include "ports/policy.h"
#include "runtime/agent_versions.h"

namespace perdure::runtime {

struct ToolRules {
  Contract contract;
  bool ask = true;  // a person approves each call
  // JSON Pointers: what makes two calls the same wish; none: all arguments.
  std::vector<std::string> identity;
};

struct ModelRules {
  Contract contract;
  ModelPrice price;
  int64_t max_output_tokens = 0;
};

struct Rules {
  std::map<std::string, ToolRules> tools;
  std::map<std::string, ModelRules> models;
};

class ContractPolicy : public Policy {
 public:
  ContractPolicy(const Rules& rules, AgentVersions& versions)
      : rules_(rules), versions_(versions) {}

  void judge(const std::string& agent, const std::string& agent_version, AnswerTurn& turn) override;

 private:
  void judge_tool(CallAction& call, const AgentSpec* spec, bool guarded) const;
  void judge_model(CallAction& call) const;

  const Rules& rules_;
  AgentVersions& versions_;
};

}  // namespace perdure::runtime
