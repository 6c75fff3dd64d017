#pragma once
// The agent file: what a user writes. It names what the operator configured, and may only tighten
// it.
#include <vector>

#include "agent/agent_spec.h"
#include "base/json.h"

namespace perdure {

// `file`: the TOML document as JSON. `offered`: every tool of the operator's file, servers' tools
// as "server.tool". A name with '*' takes all that match; a name that matches nothing is an error
// that names the nearest. Whether the models exist is for the caller to check.
Result<AgentSpec> agent_from_file(const json::value& file,
                                  const std::vector<ToolDeclaration>& offered);

}  // namespace perdure
