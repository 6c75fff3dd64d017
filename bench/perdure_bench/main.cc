// What Perdure costs, against the disk below it. Every row has a floor, the least that is accepted,
// and a goal.
//
//   perdure_bench [--dir DIR] [--seconds 20] [--runs 3] [--only NAME] [--json FILE] [--strict]
//
// F is the p50 of one 4 KiB pwrite and fdatasync in a file of written zeros beside the store,
// sampled in pauses of the same run. Flushes and bytes of the device are those of every process on
// the machine.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bench.h"
#include "schema/meter.h"

namespace perdure::bench {
namespace {

const Benchmark kBenchmarks[] = {
    {"sequential", sequential}, {"pure", pure_steps},     {"many", many_tasks},
    {"submit", submissions},    {"agent", agent_waits},   {"history", history_size},
    {"start", start},           {"suspended", suspended}, {"decision", decision},
    {"inbox", inbox},           {"policy", policy},       {"long", long_task},
};

// Where the build leaves `perdure`, seen from this program.
std::string server_beside_this() {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  return (self.parent_path().parent_path().parent_path() / "src" / "perdure").string();
}

int run(const Options& options, const std::string& only, const std::string& json_path,
        bool strict) {
  Rows all;
  for (const Benchmark& benchmark : kBenchmarks) {
    if (!only.empty() && only != benchmark.name) continue;
    Rows rows = benchmark.run(options);
    fmt::print("{}", table_of(rows));
    std::fflush(stdout);
    all.insert(all.end(), rows.begin(), rows.end());
  }
  if (!json_path.empty()) {
    std::ofstream file(json_path);
    file << json_of(all);
    if (!file.flush()) die("cannot write " + json_path);
  }
  const auto missed = [](const Row& row) {
    return !row.valid || (row.floor && !row.meets(row.floor));
  };
  const auto count = std::count_if(all.begin(), all.end(), missed);
  fmt::print("{} rows, {} below their floor or invalid\n", all.size(), count);
  return strict && count > 0 ? 1 : 0;
}

}  // namespace

ScratchDir::ScratchDir(const std::string& parent) : path_(parent + "/perdure-bench-XXXXXX") {
  std::filesystem::create_directories(parent);
  if (mkdtemp(path_.data()) == nullptr) die("cannot make a directory in " + parent);
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace perdure::bench

int main(int argc, char** argv) {
  using namespace perdure::bench;
  CLI::App app("What Perdure costs, against the disk below it.");
  Options options;
  std::string only, json_path, traced_dir;
  bool strict = false;
  options.server = server_beside_this();
  std::vector<std::string> names;
  for (const Benchmark& benchmark : kBenchmarks) names.push_back(benchmark.name);
  app.add_option("--seconds", options.seconds, "A timed row measures so long, over all its runs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--runs", options.runs)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--only", only, "One benchmark")->check(CLI::IsMember(names));
  app.add_option("--dir", options.dir, "A directory on the disk that is meant")
      ->capture_default_str();
  app.add_option("--json", json_path, "Also write the rows to this file");
  app.add_option("--server", options.server, "The binary perdure")->capture_default_str();
  app.add_option("--tasks", options.tasks, "Of the run with many tasks")->capture_default_str();
  app.add_option("--steps", options.steps, "Of each of them")->capture_default_str();
  app.add_option("--waiting", options.waiting, "Suspended tasks")->capture_default_str();
  app.add_option("--turns", options.turns, "Of the long task")->capture_default_str();
  app.add_flag("--strict", strict, "Exit with 1 if a floor is missed");
  app.add_flag("!--no-snapshots", options.snapshots, "Of the tasks whose steps are measured");
  app.add_flag("--unsafe-no-sync", options.unsafe_no_sync,
               "Control run that does not wait for the disk: its rows are invalid");
  app.add_option("--traced-agent", traced_dir)->group("");  // below strace; see agent.cc
  CLI11_PARSE(app, argc, argv);
  if (!traced_dir.empty()) return run_traced_agent(traced_dir);
  options.dir = std::filesystem::absolute(options.dir).string();
  return run(options, only, json_path, strict);
}
