#pragma once
// Scenarios: text that tells what happens to one task, over the shipping engine in simulated time.
// README.md has the language.
#include <string>
#include <vector>

namespace perdure::scenario {

struct Scenario {
  std::string name;
  std::string file;
  int first_line = 0;              // of `lines`
  std::vector<std::string> lines;  // without the heading
};

// All scenarios of a file, in order. Throws Failed.
std::vector<Scenario> read_scenarios(const std::string& path);

// Throws Failed at the first expectation that does not hold.
void run(const Scenario& scenario);

}  // namespace perdure::scenario
