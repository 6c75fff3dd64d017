#pragma once
// Lines that stay, and below them a few that are drawn anew while something goes on.
#include <cstdio>
#include <string>
#include <vector>

#include "cli/look.h"

namespace perdure::cli {

class Screen {
 public:
  Screen(std::FILE* stream, Look look) : stream_(stream), look_(look) {}
  ~Screen() { show({}); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // The part below goes; it is shown again when there is something new to show.
  void print(const std::vector<std::string>& lines);
  // The part below, in place of what was there. Each line fits the width. Nothing happens where
  // nothing can be redrawn.
  void show(std::vector<std::string> lines);

 private:
  std::string erase_shown() const;
  void write(const std::string& text);

  std::FILE* const stream_;
  const Look look_;
  std::vector<std::string> shown_;
};

}  // namespace perdure::cli
