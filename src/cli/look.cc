#include "cli/look.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace perdure::cli {
namespace {

// ECMA-48, "select graphic rendition".
constexpr int kCodes[] = {0, 1, 2, 31, 32, 33, 36};
constexpr size_t kColumnsDefault = 80;

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::string Look::paint(Ink ink, std::string_view text) const {
  if (!has_colour || ink == Ink::kPlain || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<size_t>(ink)], text);
}

std::string Look::status(std::string_view word) const {
  if (word == "completed") return paint(Ink::kGreen, word);
  if (word == "failed" || word == "damaged") return paint(Ink::kRed, word);
  if (word == "input_required") return paint(Ink::kYellow, word);
  if (word == "cancelled") return paint(Ink::kDim, word);
  return paint(Ink::kCyan, word);
}

Look look_of(std::FILE* stream) {
  const int fd = fileno(stream);
  const std::string_view term = variable("TERM");
  Look look;
  look.is_terminal = isatty(fd) == 1 && !term.empty() && term != "dumb";
  look.has_colour = look.is_terminal && variable("NO_COLOR").empty();
  if (!look.is_terminal) return look;
  winsize size{};
  const bool known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  look.columns = known ? size.ws_col : kColumnsDefault;
  return look;
}

}  // namespace perdure::cli
