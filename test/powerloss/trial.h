#pragma once
// One trial: a child in a fresh directory, killed and rolled back one or more times, then a
// verdict.
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "rollback.h"

namespace powerloss {

enum class Verdict { kOk, kLost, kCorrupt };

struct TrialPlan {
  std::string shim;     // path of the preloaded library
  std::string scratch;  // made and removed by the caller; emptied by each trial
  std::string child;    // commands: words split at blanks, {dir} and {acks} replaced
  std::string verify;
  int child_timeout_s = 20;  // after it the power goes, whatever the child does
  int max_rounds = 2;        // power losses in a trial, at most
  uint64_t max_ops = 0;      // kill before an operation up to this one
};

struct TrialResult {
  Verdict verdict = Verdict::kOk;
  std::string detail;  // what happened: kills, modes, what verify said
  uint64_t acks = 0;
  uint64_t losses_of_power = 0;
  uint64_t killed = 0;  // of these, before an operation; the others at the end of the child
  RollbackReport rolled_back;
};

// An error means that the rig does not work, not that the child lost something.
perdure::Result<TrialResult> run_trial(const TrialPlan& plan, uint64_t seed);

// Runs the child once without a kill; returns how many operations it makes.
perdure::Result<uint64_t> count_ops(const TrialPlan& plan, uint64_t seed);

}  // namespace powerloss
