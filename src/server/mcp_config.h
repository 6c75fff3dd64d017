#pragma once
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "tool/mcp_server.h"

namespace perdure::server {

// A table [mcp.<name>] of the operator's file. `folder`: where relative paths begin.
Result<McpServerConfig> parse_mcp(const std::string& name, const json::value& table,
                                  const std::string& folder);

}  // namespace perdure::server
