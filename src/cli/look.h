#pragma once
// How output is to look: lines for scripts, or colour and redrawing for a person at a terminal.
#include <cstdio>
#include <string>
#include <string_view>

namespace perdure::cli {

enum class Ink : uint8_t { kPlain, kBold, kDim, kRed, kGreen, kYellow, kCyan };

struct Look {
  bool is_terminal = false;  // may be redrawn
  bool has_colour = false;
  size_t columns = 0;  // 0: as wide as it gets

  std::string paint(Ink ink, std::string_view text) const;
  // A status in its colour.
  std::string status(std::string_view word) const;
};

// Of the stream as it is now. Colour follows https://no-color.org, redrawing needs a TERM that is
// not "dumb".
Look look_of(std::FILE* stream);

}  // namespace perdure::cli
