#pragma once
// What a server says of its tools, and what of it is pinned.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/json.h"

namespace perdure::mcp {

// Hints of a server about itself: nothing obliges it to tell the truth.
// https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations
struct Annotations {
  std::optional<bool> read_only;
  std::optional<bool> destructive;
  std::optional<bool> idempotent;
};

struct ListedTool {
  std::string name;
  std::string description;
  std::string input_schema;  // canonical JSON
  Annotations annotations;
  std::string definition;  // canonical JSON of all that is pinned
  Sha256 sha256;           // of that
};

inline constexpr size_t kToolsMax = 2000;
inline constexpr size_t kToolNameMaxBytes = 96;
inline constexpr size_t kToolMaxBytes = 256 * 1024;

// Whether a tool may be called by this name: letters, digits, '_', '-', '.', '/'.
bool is_tool_name(std::string_view name);

// One item of a list. Name, title, description, schemas, annotations and execution are pinned;
// icons and _meta are not: no model reads them.
Result<ListedTool> read_tool(const json::value& item);

// Of a whole list, whatever its order.
Sha256 list_sha256(const std::vector<ListedTool>& tools);

}  // namespace perdure::mcp
