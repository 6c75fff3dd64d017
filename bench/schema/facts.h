// What SQLite's log does on this disk: syncs and flushes per commit, zeros in the log, a kill.
#pragma once

#include <string>

namespace perdure::bench {

// Prints one line per fact; ends the program when committed rows are missing.
void run_facts(const std::string& dir);

}  // namespace perdure::bench
