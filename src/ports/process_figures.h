#pragma once
// What this process uses, as its system sees it.
#include <cstdint>

namespace perdure {

struct ProcessFigures {
  double cpu_seconds = 0;
  double started_unix_seconds = 0;
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_descriptors = 0;
  uint64_t descriptors_max = 0;
};

}  // namespace perdure
