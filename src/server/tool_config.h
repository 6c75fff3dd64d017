#pragma once
#include <string>
#include <variant>

#include "base/error.h"
#include "base/json.h"
#include "tool/http_tool.h"
#include "tool/shell_tool.h"

namespace perdure::server {

using ToolConfig = std::variant<HttpToolConfig, ShellToolConfig>;

// A table [tools.<name>] of the operator's file; it says http = {...} or shell = {...}. `folder`:
// what its paths are relative to.
Result<ToolConfig> parse_tool(const std::string& name, const json::value& table,
                              const std::string& folder);

// The two kinds. The table says so.
Result<HttpToolConfig> parse_http_tool(const std::string& name, const json::value& table,
                                       const std::string& folder);
Result<ShellToolConfig> parse_shell_tool(const std::string& name, const json::value& table,
                                         const std::string& folder);

}  // namespace perdure::server
