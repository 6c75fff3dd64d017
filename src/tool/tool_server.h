#pragma once
// A server of tools: what they are is known only when it was asked, and may change. Its tools are
// called "server.tool".
#include <optional>

#include "ports/executor.h"
#include "ports/tool_catalog.h"

namespace perdure {

// What becomes of a call before anything is sent.
struct ToolRuling {
  ToolRules rules;
  std::string refusal;  // not empty: why it is refused
};

class ToolServer : public Executor {
 public:
  // All thread-safe.
  virtual ToolServerEntry entry() const = 0;
  virtual std::vector<ToolEntry> tools() const = 0;
  // Nothing if no tool of that full name is known.
  virtual std::optional<ToolRuling> ruling(const std::string& tool) const = 0;
  // See ToolCatalog.
  virtual Result<std::vector<std::string>> accept(const std::string& seen) = 0;
};

}  // namespace perdure
