#pragma once
// How the export of traces fares.
#include <cstdint>

namespace perdure {

struct TraceFigures {
  uint64_t exported = 0;   // spans, since the start
  uint64_t dropped = 0;    // spans that the collector refused, or that could not be read
  uint64_t failures = 0;   // attempts that will be repeated
  double lag_seconds = 0;  // age of the oldest span that waits; 0: none does
};

}  // namespace perdure
