// perdure_sim: seeds in, verdicts out.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <iostream>

#include "base/log.h"
#include "base/text.h"
#include "campaign.h"
#include "knobs.h"
#include "mutants.h"

namespace perdure::sim {
namespace {

struct Arguments {
  std::string seeds;
  uint64_t seed = 0;
  bool has_seed = false;
  int jobs = 1;
  std::string bug;
  bool log = false, json = false, until_found = false, mutants = false, trace_hash = false;
  bool no_probes = false;
  std::string resume;
  std::string kept = PERDURE_SOURCE_DIR "/sim/seeds.txt";
};

std::vector<uint64_t> range(uint64_t from, uint64_t to) {
  std::vector<uint64_t> seeds;
  for (uint64_t seed = from; seed < to; ++seed) seeds.push_back(seed);
  return seeds;
}

// "A:B": from A, below B.
std::pair<uint64_t, uint64_t> parse_range(const std::string& text) {
  const size_t colon = text.find(':');
  const auto from = parse_u64(text.substr(0, colon));
  const auto to = colon == std::string::npos ? std::nullopt : parse_u64(text.substr(colon + 1));
  if (!from || !to || *to <= *from) throw CLI::ValidationError("--seeds", "expected A:B, A < B");
  return {*from, *to};
}

// Lines: seed, version of the knobs, note. Seeds of other versions mean other worlds by now.
std::vector<uint64_t> kept_seeds(const std::string& path) {
  std::vector<uint64_t> seeds;
  std::ifstream in(path);
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    uint64_t seed = 0;
    int version = 0;
    if (line.starts_with('#') || !(words >> seed >> version)) continue;
    if (version == kKnobsVersion) seeds.push_back(seed);
  }
  return seeds;
}

void print_json(const Totals& totals, double seconds) {
  fmt::print(R"({{"seeds":{},"events":{},"virtual_seconds":{},"crashes":{},"faults":{},)"
             R"("seconds":{:.1f},"probes":{{)",
             totals.seeds, totals.events, totals.virtual_s, totals.crashes, totals.faults, seconds);
  for (size_t i = 0; i < kProbeNames.size(); ++i) {
    fmt::print(R"({}"{}":{})", i == 0 ? "" : ",", kProbeNames[i], totals.probes.counts()[i]);
  }
  fmt::print(R"(}},"violations":[)");
  for (size_t i = 0; i < totals.violations.size(); ++i) {
    fmt::print(R"({}{{"seed":{},"checker":"{}"}})", i == 0 ? "" : ",", totals.violations[i].seed,
               totals.violations[i].checker);
  }
  fmt::print("]}}\n");
}

void print_summary(const Totals& totals, double seconds) {
  fmt::print(
      "{} seeds, {} events, {} crashes, {} faults, {:.1f} virtual years, {:.1f} s, "
      "{:.0f} seeds/s\n",
      totals.seeds, totals.events, totals.crashes, totals.faults,
      static_cast<double>(totals.virtual_s) / 31'557'600.0, seconds,
      static_cast<double>(totals.seeds) / seconds);
  for (size_t i = 0; i < kProbeNames.size(); ++i) {
    fmt::print("{:26}{:>10}{}", kProbeNames[i], totals.probes.counts()[i],
               i % 3 == 2 ? "\n" : "  ");
  }
  fmt::print("\n");
}

// True if every rare state was reached.
bool check_probes(const Totals& totals) {
  bool all = true;
  for (size_t i = 0; i < kProbeNames.size(); ++i) {
    if (totals.probes.counts()[i] > 0) continue;
    fmt::print("NEVER REACHED: {}\n", kProbeNames[i]);
    all = false;
  }
  return all;
}

int conclude(const Totals& totals, const Arguments& arguments, hooks::Bug bug, double seconds) {
  if (arguments.json) {
    print_json(totals, seconds);
  } else if (!arguments.trace_hash) {
    print_summary(totals, seconds);
  }
  constexpr size_t kExplained = 5;
  for (size_t i = 0; i < totals.violations.size() && i < kExplained; ++i) {
    explain(totals.violations[i], bug);
  }
  if (totals.violations.size() > 1) fmt::print("{} violations\n", totals.violations.size());
  const bool asked = !arguments.no_probes && !arguments.trace_hash && bug == hooks::Bug::kNone;
  const bool reached = !asked || check_probes(totals);
  return totals.violations.empty() && reached ? 0 : 1;
}

// The file holds "next seed, seeds so far".
int run_resumable(Work work, uint64_t from, uint64_t to, const Arguments& arguments) {
  uint64_t next = from, done = 0;
  if (std::ifstream in(arguments.resume); in) in >> next >> done;
  Totals totals;
  const auto began = std::chrono::steady_clock::now();
  while (next < to && totals.violations.empty()) {
    const uint64_t end = std::min(to, next + 2000);
    work.seeds = range(next, end);
    totals.add(run_campaign(work));
    next = end;
    done += work.seeds.size();
    std::ofstream(arguments.resume) << next << ' ' << done << '\n';
    fmt::print(stderr, "{} seeds so far, up to {}\n", done, next);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return conclude(totals, arguments, work.bug, took.count());
}

int run(const Arguments& arguments) {
  const hooks::Bug bug = hooks::bug_named(arguments.bug);
  if (!arguments.bug.empty() && bug == hooks::Bug::kNone && arguments.bug != "none") {
    fmt::print(stderr, "there is no planted bug '{}'\n", arguments.bug);
    return 2;
  }
  if (arguments.has_seed) {
    const Totals totals = run_one(arguments.seed, bug, arguments.log);
    for (const Violation& violation : totals.violations) explain(violation, bug);
    return totals.violations.empty() ? 0 : 1;
  }
  const auto [from, to] = parse_range(arguments.seeds);
  if (arguments.mutants) return run_mutants(range(from, to), arguments.jobs) ? 0 : 1;
  Work work;
  work.jobs = arguments.jobs;
  work.bug = bug;
  work.until_found = arguments.until_found;
  work.trace_hash = arguments.trace_hash;
  work.progress = !arguments.trace_hash;
  if (!arguments.resume.empty()) return run_resumable(std::move(work), from, to, arguments);
  if (!arguments.trace_hash) work.seeds = kept_seeds(arguments.kept);
  const auto more = range(from, to);
  work.seeds.insert(work.seeds.end(), more.begin(), more.end());
  const auto began = std::chrono::steady_clock::now();
  const Totals totals = run_campaign(work);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return conclude(totals, arguments, bug, took.count());
}

}  // namespace
}  // namespace perdure::sim

int main(int argc, char** argv) {
  using perdure::sim::Arguments;
  Arguments arguments;
  CLI::App app("Runs the shipping engine in simulated worlds and checks what it promises.");
  app.add_option("--seeds", arguments.seeds, "seeds A:B, B not included")->default_str("1:1000");
  arguments.seeds = "1:1000";
  const auto* one = app.add_option("--seed", arguments.seed, "one seed, in this process");
  app.add_option("--jobs", arguments.jobs, "processes")->check(CLI::Range(1, 256));
  app.add_option("--bug", arguments.bug, "plant this bug");
  app.add_flag("--log", arguments.log, "with --seed: everything that happens");
  app.add_flag("--json", arguments.json, "the summary as JSON");
  app.add_flag("--until-found", arguments.until_found, "stop at the first violation");
  app.add_flag("--mutants", arguments.mutants, "each planted bug must be found by its checker");
  app.add_flag("--trace-hash", arguments.trace_hash, "print the hash of each seed's events");
  app.add_flag("--no-probes", arguments.no_probes, "rare states may be missing");
  app.add_option("--resume", arguments.resume, "goes on where this file says, and keeps it");
  app.add_option("--kept", arguments.kept, "seeds that are run first");
  CLI11_PARSE(app, argc, argv);
  arguments.has_seed = one->count() > 0;
  perdure::set_log_level(perdure::LogLevel::kOff);
  try {
    return perdure::sim::run(arguments);
  } catch (const CLI::Error& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
