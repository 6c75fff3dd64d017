#include "cli/screen.h"

#include <fmt/core.h>

namespace perdure::cli {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

}  // namespace

// ECMA-48: cursor up, column one, erase to the end of the screen.
std::string Screen::erase_shown() const {
  return shown_.empty() ? "" : fmt::format("\x1b[{}A\r\x1b[J", shown_.size());
}

void Screen::write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream_);
  std::fflush(stream_);
}

void Screen::print(const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  const std::string erased = erase_shown();
  shown_.clear();
  write(erased + joined(lines));
}

void Screen::show(std::vector<std::string> lines) {
  if (!look_.is_terminal || lines == shown_) return;
  const std::string erased = erase_shown();
  shown_ = std::move(lines);
  write(erased + joined(shown_));
}

}  // namespace perdure::cli
