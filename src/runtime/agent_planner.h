#pragma once
// The agent loop as a planner of the engine.
#include <map>
#include <string>

#include "journal/price.h"
#include "ports/planner.h"
#include "runtime/agent_versions.h"
#include "runtime/transcripts.h"
#include "runtime/workers.h"

namespace perdure::runtime {

// By the operator's name of the model.
using ModelPrices = std::map<std::string, ModelPrice>;

class AgentPlanner : public Planner {
 public:
  AgentPlanner(AgentVersions& versions, Transcripts& transcripts, const ModelPrices& prices,
               Spawn spawn)
      : versions_(versions), transcripts_(transcripts), prices_(prices), spawn_(std::move(spawn)) {}

  bool in_process() const override { return true; }
  void plan(PlanRequest request, Done done) override;

 private:
  Result<AnswerTurn> turn(const PlanRequest& request);

  AgentVersions& versions_;
  Transcripts& transcripts_;
  const ModelPrices& prices_;
  Spawn spawn_;
};

}  // namespace perdure::runtime
