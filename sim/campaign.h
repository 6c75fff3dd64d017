#pragma once
// Many seeds in several processes, and what they found together.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/hooks.h"
#include "probes.h"

namespace perdure::sim {

struct Violation {
  uint64_t seed = 0;
  std::string checker;
  std::string what;
};

struct Totals {
  uint64_t seeds = 0;
  uint64_t events = 0;
  uint64_t crashes = 0;
  uint64_t faults = 0;
  int64_t virtual_s = 0;
  Probes probes;
  std::vector<Violation> violations;

  void add(const Totals& other);
};

struct Work {
  std::vector<uint64_t> seeds;
  int jobs = 1;
  hooks::Bug bug = hooks::Bug::kNone;
  bool until_found = false;
  bool trace_hash = false;
  bool progress = false;
};

// A world that does not end, or takes its process with it, is a violation like any other.
Totals run_campaign(const Work& plan);
// One seed in this process, with its log.
Totals run_one(uint64_t seed, hooks::Bug bug, bool log);
// Runs the seed again for its last events, and says all that a person needs.
void explain(const Violation& violation, hooks::Bug bug);

}  // namespace perdure::sim
