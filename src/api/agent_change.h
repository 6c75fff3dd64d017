#pragma once
// What has become of an agent since a task began with it.
#include "base/json.h"
#include "ports/agents.h"

namespace perdure::api {

// Null if the version is the current one, or none that we know. Otherwise {"current": the version
// that new tasks get, or null if there is none, "changed": the places that differ}.
json::value agent_change(const Agents& agents, const std::string& tenant, const std::string& name,
                         const std::string& pinned);

}  // namespace perdure::api
