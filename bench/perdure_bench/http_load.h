#pragma once
// A client that asks the same thing again and again over keep-alive connections, in a process of
// its own.
#include <cstdint>
#include <string>
#include <vector>

namespace perdure::bench {

struct Load {
  std::string request = {};  // whole
  int connections = 1;
  double seconds = 1;                // the end of the run, unless
  int64_t requests_max = INT64_MAX;  // so many have been sent before
  bool keys = false;  // each request gets an Idempotency-Key of its own, for new work
  int wanted_status = 202;
};

struct LoadResult {
  double elapsed_us = 0;
  int64_t wrong = 0;  // answers with another status
  std::vector<float> latencies_us;

  double per_s() const { return double(latencies_us.size()) / elapsed_us * 1e6; }
};

// Forks, runs the load against 127.0.0.1:port, and returns what the child measured.
LoadResult run_load(uint16_t port, const Load& load);

// One request on a connection of its own; its status, or 0 if nobody answers.
int ask_once(uint16_t port, const std::string& request);

}  // namespace perdure::bench
