#pragma once
// The tools of one MCP server: what was accepted, what it offers now, and what that means for a
// call. What it offers first is accepted; nothing after that is, until somebody says so.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tool/mcp/tool_list.h"
#include "tool/mcp_server.h"
#include "tool/tool_server.h"

namespace perdure {

// Not thread-safe.
class McpTools {
 public:
  explicit McpTools(const McpServerConfig& config) : config_(config) {}

  // What was accepted, as text for whoever keeps it.
  static std::string pins_of(const std::vector<mcp::ListedTool>& tools);
  Status read_pins(std::string_view text);
  void accept(const std::vector<mcp::ListedTool>& tools);
  bool has_pins() const { return pinned_; }

  // Nothing: it is not known now.
  void set_offered(std::optional<std::vector<mcp::ListedTool>> tools);
  const std::vector<mcp::ListedTool>* offered() const { return offered_ ? &*offered_ : nullptr; }
  std::string offered_sha256() const;  // hex; empty if not known

  // By their full names. `unreachable`: why, if so.
  std::vector<ToolEntry> entries(const std::string& unreachable) const;
  std::optional<ToolRuling> ruling(const std::string& tool) const;
  // The names of the tools that are new, changed or gone.
  std::vector<std::string> not_accepted() const;

  // What the operator declared about tools that it neither offers nor offered: names and patterns.
  std::vector<std::string> names_of_no_tool() const;

  // The server's own name of a tool of ours, "get_order" of "shop.get_order".
  std::string_view own_name(std::string_view tool) const;

 private:
  using Pins = std::map<std::string, mcp::ListedTool, std::less<>>;

  ToolState state_of(const std::string& own_name) const;
  std::string refusal_of(const std::string& own_name, ToolState state) const;
  const mcp::ListedTool* offered_tool(std::string_view own_name) const;
  ToolEntry entry_of(const mcp::ListedTool& tool, ToolState state) const;

  const McpServerConfig& config_;
  bool pinned_ = false;
  Pins accepted_;
  std::optional<std::vector<mcp::ListedTool>> offered_;
};

// The operator's word on a tool, made stricter where the server itself warns; looser only if the
// operator trusts its hints.
ToolRules rules_of(const McpServerConfig& config, const mcp::ListedTool& tool);

}  // namespace perdure
