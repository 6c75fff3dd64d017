#pragma once
// The script planner as a planner of the engine.
#include <map>
#include <mutex>

#include "ports/planner.h"
#include "script/script.h"

namespace perdure::runtime {

class ScriptPlanner : public Planner {
 public:
  bool in_process() const override { return true; }
  bool reads_history() const override { return false; }
  // Answers before it returns: a turn takes microseconds.
  void plan(PlanRequest request, Done done) override;

 private:
  Result<Script> script_of(const Payload& input);

  std::mutex mutex_;
  std::map<Sha256, Script> parsed_;  // scripts that many tasks share; emptied when it grows
};

}  // namespace perdure::runtime
