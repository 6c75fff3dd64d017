#pragma once
// Counters of one engine since its start. Written by the engine's thread, read by any.
#include <atomic>
#include <cstdint>

#include "engine/call_tally.h"
#include "engine/histogram.h"

namespace perdure::engine {

struct Metrics {
  std::atomic<uint64_t> commands{0};
  std::atomic<uint64_t> commits{0};
  std::atomic<uint64_t> frames{0};
  std::atomic<uint64_t> records{0};
  std::atomic<uint64_t> durable_waits{
      0};  // (task, commit) pairs in which the gate held an output back
  std::atomic<uint64_t> sends{0};
  std::atomic<uint64_t> plans{0};
  std::atomic<uint64_t> timers_fired{0};
  std::atomic<uint64_t> recovered{0};  // tasks looked at again after the start
  std::atomic<uint64_t> snapshots{0};  // of tasks, written since the start
  std::atomic<uint64_t> live{0};       // tasks in memory
  std::atomic<uint64_t> calls_under_way{0};
  std::atomic<uint64_t> quarantined{0};        // tasks whose journal could not be read
  std::atomic<uint64_t> held{0};               // outputs that wait at the gate
  std::atomic<int64_t> undurable_since_us{0};  // monotonic; 0: all is durable
  Histogram commit;                            // from the first record of a batch to its durability
  CallTally calls;
};

}  // namespace perdure::engine
