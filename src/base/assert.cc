#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace perdure {

void assertion_failed(const char* expression, const char* file, int line, const char* why) {
  std::fprintf(stderr, "perdure: assertion failed: %s\n  %s:%d\n  %s\n", why, file, line,
               expression);
  std::fflush(stderr);
  std::abort();
}

}  // namespace perdure
