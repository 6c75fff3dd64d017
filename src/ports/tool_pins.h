#pragma once
// What was accepted of each tool server, kept over restarts.
#include <string>

#include "base/error.h"

namespace perdure {

class ToolPins {
 public:
  virtual ~ToolPins() = default;
  // Both thread-safe. kNotFound: nothing was accepted yet.
  virtual Result<std::string> load(const std::string& server) = 0;
  // Durable when it returns; the old text or the new one, never a part.
  virtual Status save(const std::string& server, const std::string& text) = 0;
};

}  // namespace perdure
