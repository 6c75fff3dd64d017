#include "model/tool_names.h"

#include "base/hash.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr size_t kToolNameMaxBytes = 64;

bool is_wire_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::string plain_wire_name(std::string_view name) {
  std::string wire;
  for (const char c : name) {
    if (is_wire_byte(c)) {
      wire += c;
    } else {
      wire += c == '.' ? "__" : "_";
    }
  }
  if (wire.empty()) wire = "_";
  if (wire.size() <= kToolNameMaxBytes) return wire;
  const std::string mark = "_" + to_hex(sha256(name).view().substr(0, 4));
  return wire.substr(0, kToolNameMaxBytes - mark.size()) + mark;
}

}  // namespace

ToolNames::ToolNames(const std::vector<ToolDeclaration>& tools) {
  // Names that need no change keep themselves, wherever they stand in the list.
  for (const ToolDeclaration& tool : tools) {
    if (plain_wire_name(tool.name) == tool.name) from_wire_.emplace(tool.name, tool.name);
  }
  for (const ToolDeclaration& tool : tools) {
    std::string wire = plain_wire_name(tool.name);
    for (int n = 2; from_wire_.contains(wire) && from_wire_[wire] != tool.name; ++n) {
      const std::string mark = "_" + std::to_string(n);
      wire = plain_wire_name(tool.name).substr(0, kToolNameMaxBytes - mark.size()) + mark;
    }
    from_wire_.emplace(wire, tool.name);
    to_wire_.emplace(tool.name, wire);
  }
}

std::string ToolNames::to_wire(std::string_view name) const {
  const auto found = to_wire_.find(name);
  return found != to_wire_.end() ? found->second : plain_wire_name(name);
}

std::string ToolNames::from_wire(std::string_view wire) const {
  const auto found = from_wire_.find(wire);
  return found != from_wire_.end() ? found->second : std::string(wire);
}

}  // namespace perdure
