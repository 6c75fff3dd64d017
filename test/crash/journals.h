#pragma once
// The journals of a closed data directory, and whether they hold what was claimed.
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "crash/claims.h"
#include "journal/record.h"

namespace perdure::crash {

struct Judgement {
  std::vector<std::string> lost;                        // acknowledged, and not there
  std::vector<std::string> corrupt;                     // there, and not as it was written
  std::map<std::string, std::vector<Record>> journals;  // by task, whole

  bool good() const { return lost.empty() && corrupt.empty(); }
};

// Examines the store and every blob, opens it as a server would, and reads all of it. Nothing else
// has the directory open.
Judgement judge(const std::string& dir, const Claims& claims);

}  // namespace perdure::crash
