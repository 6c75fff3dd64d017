#pragma once
// The script planner as a planner of the engine.
#include <map>
#include <mutex>

#include "ports/blobs.h"
#include "ports/planner.h"
#include "script/script.h"

namespace perdure::runtime {

class ScriptPlanner : public Planner {
 public:
  // `blobs` outlives the planner.
  explicit ScriptPlanner(Blobs& blobs) : blobs_(blobs) {}

  bool in_process() const override { return true; }
  // Answers before it returns: a turn takes microseconds. The first one after a restart may read
  // blobs.
  void plan(PlanRequest request, Done done) override;

 private:
  Result<AnswerTurn> turn(PlanRequest& request);
  Result<Script> script_of(const std::string& tenant, Payload& input);
  Status fetch(const std::string& tenant, Payload& payload);

  Blobs& blobs_;
  std::mutex mutex_;
  std::map<Sha256, Script> parsed_;  // scripts that many tasks share; emptied when it grows
};

}  // namespace perdure::runtime
