#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "journal/message.h"

namespace perdure {

// The providers allow [A-Za-z0-9_-]{1,64} in a tool's name; ours may hold dots. Other bytes become
// '_', '.' two of them, and two tools never share a wire name. A function of the list of tools
// alone.
class ToolNames {
 public:
  explicit ToolNames(const std::vector<ToolDeclaration>& tools);
  // Also of a tool that is not offered any more and stands in the history.
  std::string to_wire(std::string_view name) const;
  // A name that no tool has comes back as it is: the model made it up.
  std::string from_wire(std::string_view wire) const;

 private:
  std::map<std::string, std::string, std::less<>> to_wire_;
  std::map<std::string, std::string, std::less<>> from_wire_;
};

}  // namespace perdure
