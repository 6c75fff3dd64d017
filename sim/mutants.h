#pragma once
// The planted bugs: each must be found, and by the checker that it is about.
#include <cstdint>
#include <vector>

namespace perdure::sim {

// Prints a table. False if a bug was not found within `seeds`, or only by another checker.
bool run_mutants(const std::vector<uint64_t>& seeds, int jobs);

}  // namespace perdure::sim
