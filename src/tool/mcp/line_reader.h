#pragma once
// The frames of a stream: one message a line.
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace perdure::mcp {

class LineReader {
 public:
  explicit LineReader(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Calls `on_line` for each line that ends in `bytes`, without its end; blank ones are left out.
  // kTooLarge when a line passes the limit; every later call fails the same way.
  Status feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line);

 private:
  const size_t max_bytes_;
  std::string begun_;
  bool too_large_ = false;
};

}  // namespace perdure::mcp
