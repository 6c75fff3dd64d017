#pragma once
// The agent loop as a planner of the engine.
#include "agent/turn_parts.h"
#include "ports/planner.h"
#include "runtime/agent_versions.h"
#include "runtime/transcripts.h"
#include "runtime/workers.h"

namespace perdure::runtime {

class AgentPlanner : public Planner {
 public:
  AgentPlanner(AgentVersions& versions, Transcripts& transcripts, const KnownModels& models,
               Spawn spawn)
      : versions_(versions), transcripts_(transcripts), models_(models), spawn_(std::move(spawn)) {}

  bool in_process() const override { return true; }
  void plan(PlanRequest request, Done done) override;
  uint64_t write_snapshot(const TaskId& task, const std::string& tenant,
                          const std::string& agent_version, Seq upto_seq) override;

 private:
  Result<AnswerTurn> turn(const PlanRequest& request);

  AgentVersions& versions_;
  Transcripts& transcripts_;
  const KnownModels& models_;
  Spawn spawn_;
};

}  // namespace perdure::runtime
