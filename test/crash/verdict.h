#pragma once
// The verdict over a data directory in which every task has ended: what the journals say against
// what the receivers saw.
#include <string>
#include <vector>

#include "crash/world.h"

namespace perdure::crash {

struct Verdict {
  std::vector<std::string> lost;
  std::vector<std::string> repeated;
  std::vector<std::string> wrong;  // anything else that must not be

  bool good() const { return lost.empty() && repeated.empty() && wrong.empty(); }
};

Verdict verdict_over(const std::string& dir, const World& world);

}  // namespace perdure::crash
