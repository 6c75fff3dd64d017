#pragma once
// The agents that tasks were started with. A task pins the version of its agent; every version that
// was ever configured stays readable, by the hash of its content.
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "agent/agent_spec.h"
#include "ports/agents.h"
#include "ports/blobs.h"

namespace perdure::runtime {

// An agent whose planner is not the agent loop.
struct PlainAgent {
  std::string planner;
  Limits limits;
};

class AgentVersions : public Agents {
 public:
  explicit AgentVersions(Blobs& blobs) : blobs_(blobs) {}

  // At start. Keeps the content durably before the version is offered.
  Status add(AgentSpec spec);
  void add_plain(const std::string& name, PlainAgent agent);

  std::optional<AgentEntry> find(const std::string& name) const override;
  std::vector<std::string> names() const override;

  // The spec of a pinned version, also one that is no longer configured. Thread-safe.
  Result<std::shared_ptr<const AgentSpec>> spec(const std::string& version);

 private:
  Blobs& blobs_;
  std::map<std::string, AgentEntry> current_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const AgentSpec>> by_version_;
};

}  // namespace perdure::runtime
