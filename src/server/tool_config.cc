#include "server/tool_config.h"

#include <fmt/core.h>

#include "agent/builtin_tools.h"

namespace perdure::server {

Result<ToolConfig> parse_tool(const std::string& name, const json::value& table,
                              const std::string& folder) {
  if (is_builtin_tool(name)) {
    return fail(Code::kInvalid,
                fmt::format("tools.{}: is the name of a tool that every agent can have", name));
  }
  const json::object* object = table.if_object();
  const bool is_http = object != nullptr && object->contains("http");
  const bool is_shell = object != nullptr && object->contains("shell");
  if (is_http == is_shell) {
    return fail(Code::kInvalid,
                fmt::format("tools.{}: expected one of http = {{method, url}} and shell = "
                            "{{workspace}}",
                            name));
  }
  if (is_shell) return parse_shell_tool(name, table, folder);
  return parse_http_tool(name, table, folder);
}

}  // namespace perdure::server
