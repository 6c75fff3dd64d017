#pragma once
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "tool/http_tool.h"

namespace perdure::server {

// A table [tools.<name>] of the operator's file. `folder`: where a schema file is looked for.
Result<HttpToolConfig> parse_tool(const std::string& name, const json::value& table,
                                  const std::string& folder);

}  // namespace perdure::server
