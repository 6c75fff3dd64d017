#pragma once
// The operator's file: what exists, what it may cost, what it may touch. docs/operations.md.
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secrets.h"
#include "runtime/runtime.h"
#include "runtime/trace_exporter.h"

namespace perdure::server {

// A credential beside the one in the data directory.
struct TokenConfig {
  std::string name;
  std::string source;  // "env:NAME" or "file:PATH"
  std::string tenant = "default";
  std::vector<std::string> scopes;
};

struct Config {
  std::string address = "127.0.0.1";
  uint16_t port = 7707;  // 0: the system chooses
  std::string data_dir = ".perdure";
  std::vector<std::string> hosts;    // allowed beside the loopback names
  std::vector<std::string> origins;  // allowed of browsers
  std::vector<TokenConfig> tokens;
  int64_t drain_ms = 10'000;
  int64_t planner_lease_ms = 60'000;
  int64_t until_idle_ms = 0;        // 0: it ends only when it is told to
  uint64_t disk_reserve_mib = 256;  // below it nothing new is taken; 0: never refused
  bool snapshots = true;            // of tasks with long journals
  bool unsafe_no_sync = false;      // for control runs: commits are not durable
  Secrets secrets;
  std::string running;  // what the file of that name tells the commands on this machine
  // What no child of ours may read, beside the data directory: this file, and files of secrets.
  std::vector<std::string> private_files;
  runtime::TelemetryConfig telemetry;
  runtime::Setup setup;
};

// Reads the file and everything it names. Paths in it are relative to its folder. The first mistake
// is the error: it names the file, the place, and the nearest known word.
Result<Config> read_config(const std::string& path);

// "127.0.0.1:7707", "[::1]:0" into the config.
Status set_listen(Config& config, const std::string& listen);

}  // namespace perdure::server
