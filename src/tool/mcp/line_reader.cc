#include "tool/mcp/line_reader.h"

#include <fmt/core.h>

namespace perdure::mcp {

Status LineReader::feed(std::string_view bytes,
                        const std::function<void(std::string_view)>& on_line) {
  while (!bytes.empty() && !too_large_) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (begun_.size() + piece.size() > max_bytes_) {
      too_large_ = true;
      begun_ = {};
      break;
    }
    if (end == std::string_view::npos) {
      begun_ += piece;
      break;
    }
    std::string_view line = piece;
    if (!begun_.empty()) line = begun_ += piece;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) on_line(line);
    begun_.clear();
    bytes.remove_prefix(end + 1);
  }
  if (!too_large_) return {};
  return fail(Code::kTooLarge, fmt::format("a message is longer than {} bytes", max_bytes_));
}

}  // namespace perdure::mcp
