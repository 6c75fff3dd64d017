#pragma once
// What a world was found to be: right, or wrong in a named way. The first violation is kept; what
// follows from it is noise.
#include <string>
#include <string_view>

namespace perdure::sim {

struct Finding {
  std::string checker;  // empty: nothing was found
  std::string what;

  bool ok() const { return checker.empty(); }
  void violation(std::string_view name, std::string text) {
    if (!ok()) return;
    checker = name;
    what = std::move(text);
  }
};

}  // namespace perdure::sim
