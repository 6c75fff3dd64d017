#pragma once
// Which agents the operator configured. Thread-safe; what it says does not change while the process
// lives.
#include <optional>
#include <string>
#include <vector>

#include "journal/terms.h"

namespace perdure {

struct AgentEntry {
  std::string name;
  std::string version;  // of its content
  std::string planner;  // which planner drives it, e.g. "agent", "script", or one that registers
                        // from outside
  Limits limits;        // of a task that says nothing else; a task may only tighten them
};

class Agents {
 public:
  virtual ~Agents() = default;
  virtual std::optional<AgentEntry> find(const std::string& name) const = 0;
  virtual std::vector<std::string> names() const = 0;
};

}  // namespace perdure
