#include "base/glob.h"

namespace perdure {

// Going back to the newest star is enough, and keeps it from being exponential.
bool matches_glob(std::string_view pattern, std::string_view word) {
  size_t p = 0;
  size_t w = 0;
  size_t star = std::string_view::npos;
  size_t taken = 0;  // of `word`, when the newest star began
  while (w < word.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = w;
    } else if (p < pattern.size() && pattern[p] == word[w]) {
      ++p;
      ++w;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      w = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace perdure
