// The shapes of the tables and the ways to keep the log that are compared.
#pragma once

#include <vector>

#include "schema/layout.h"

namespace perdure::bench {

struct LogPolicy {
  bool pregrown = true;
  int checkpoint_pages = 4000;
  int mode = SQLITE_CHECKPOINT_PASSIVE;
};

struct Case {
  Layout layout;
  LogPolicy log;
};

// Shapes of the tables, with the same log.
std::vector<Case> layout_cases();
// Page and cache sizes, with the same bytes of log.
std::vector<Case> page_cases();
// Checkpoint thresholds, modes and file settings, with the same tables.
std::vector<Case> log_cases();

}  // namespace perdure::bench
