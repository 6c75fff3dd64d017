#pragma once
// What every benchmark is given, and where it leaves its rows.
#include <functional>
#include <string>
#include <vector>

#include "row.h"

namespace perdure::bench {

struct Options {
  double seconds = 20;  // a timed row measures so long, over all its runs
  int runs = 3;
  std::string dir = ".";      // on the disk that is meant
  std::string server;         // the binary `perdure`
  int64_t tasks = 1'000;      // of the run with many tasks
  int64_t steps = 1'000;      // of each of them
  int64_t waiting = 100'000;  // suspended tasks
  int turns = 10'000;         // of the long task
  bool unsafe_no_sync = false;
  bool snapshots = true;  // of the tasks whose steps are measured

  double run_us() const { return seconds * 1e6 / runs; }
};

// A private directory for one run, gone with it.
class ScratchDir {
 public:
  explicit ScratchDir(const std::string& parent);
  ~ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

using Rows = std::vector<Row>;
struct Benchmark {
  std::string name;
  std::function<Rows(const Options&)> run;
};

// In the order of the table.
Rows sequential(const Options& options);
Rows pure_steps(const Options& options);
Rows many_tasks(const Options& options);
Rows submissions(const Options& options);
Rows agent_waits(const Options& options);
Rows history_size(const Options& options);
Rows start(const Options& options);
Rows suspended(const Options& options);
Rows long_task(const Options& options);
Rows decision(const Options& options);
Rows inbox(const Options& options);
Rows policy(const Options& options);

// The mode of this program that runs below strace; see agent.cc.
int run_traced_agent(const std::string& dir);

}  // namespace perdure::bench
