#pragma once
// What a scenario's operator configured, as the files that an operator writes.
#include <map>
#include <string>

namespace perdure::scenario {

// Two models (main, backup), five tools named by what they are (look_up, count, refund, pay, mail),
// one agent that has them all. A scenario replaces tools, and adds lines to both files.
struct Setting {
  std::map<std::string, std::string> tools = {
      {"look_up", "effect = \"read\"\n"},
      {"count", "effect = \"repeat\"\n"},
      {"refund", "effect = \"idempotent\"\nhorizon = \"24h\"\nidentity = [\"/order\"]\n"},
      {"pay", "effect = \"once\"\napproval = \"never\"\n"},
      {"mail", "effect = \"once\"\n"},
  };
  std::string operator_lines;
  std::string agent_lines;

  // Writes perdure.toml and what it names into `folder`; returns its path.
  std::string write(const std::string& folder) const;
};

}  // namespace perdure::scenario
