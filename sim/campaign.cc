#include "campaign.h"

#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>

#include "world.h"

namespace perdure::sim {
namespace {

Totals totals_of(uint64_t seed, const Report& report) {
  Totals totals;
  totals.seeds = 1;
  totals.events = report.events;
  totals.crashes = report.crashes;
  totals.faults = report.faults;
  totals.virtual_s = report.virtual_us / 1'000'000;
  totals.probes = report.probes;
  if (!report.verdict.ok()) {
    totals.violations.push_back({seed, report.verdict.checker, report.verdict.what});
  }
  return totals;
}

void put(std::FILE* to, const Totals& totals) {
  fmt::print(to, "T {} {} {} {} {}", totals.seeds, totals.events, totals.crashes, totals.faults,
             totals.virtual_s);
  for (const uint64_t count : totals.probes.counts()) fmt::print(to, " {}", count);
  fmt::print(to, "\n");
  for (const Violation& violation : totals.violations) {
    std::string what = violation.what;
    std::replace(what.begin(), what.end(), '\n', ' ');
    fmt::print(to, "V {} {} {}\n", violation.seed, violation.checker, what);
  }
  std::fflush(to);
}

// What a child says, line by line: B seed (begins), H seed hash, T totals, V violation.
struct Child {
  pid_t pid = 0;
  std::FILE* says = nullptr;
  uint64_t seed = 0;  // that it works on
};

[[noreturn]] void work(const Work& work, size_t first, int out) {
  std::FILE* to = fdopen(out, "w");
  hooks::plant(work.bug);
  Totals totals;
  for (size_t i = first; i < work.seeds.size(); i += static_cast<size_t>(work.jobs)) {
    const uint64_t seed = work.seeds[i];
    fmt::print(to, "B {}\n", seed);
    std::fflush(to);
    const Report report = World(seed, Trace::Text::kNone).run();
    if (work.trace_hash) fmt::print(to, "H {} {:016x}\n", seed, report.hash);
    put(to, totals_of(seed, report));
    if (work.until_found && !report.verdict.ok()) break;
  }
  std::fclose(to);
  _exit(0);
}

Child begin(const Work& plan, size_t first) {
  int ends[2];
  PERDURE_ASSERT(pipe(ends) == 0, "a pipe can be made");
  std::fflush(stdout);
  const pid_t pid = fork();
  PERDURE_ASSERT(pid >= 0, "a process can be made");
  if (pid == 0) {
    close(ends[0]);
    work(plan, first, ends[1]);
  }
  close(ends[1]);
  return {pid, fdopen(ends[0], "r"), 0};
}

class Listener {
 public:
  explicit Listener(const Work& plan) : plan_(plan) {}

  // False when the child has nothing more to say.
  bool hear(Child& child) {
    char* line = nullptr;
    size_t size = 0;
    const ssize_t got = getline(&line, &size, child.says);
    const std::string text = got > 0 ? std::string(line, static_cast<size_t>(got)) : std::string();
    free(line);
    if (text.empty()) return false;
    std::istringstream in(text.substr(1));
    if (text[0] == 'B') in >> child.seed;
    if (text[0] == 'H') fmt::print("{}", text.substr(2));
    if (text[0] == 'T') add(in);
    if (text[0] == 'V') {
      Violation violation;
      in >> violation.seed >> violation.checker;
      std::getline(in >> std::ws, violation.what);
      totals_.violations.push_back(std::move(violation));
    }
    return true;
  }

  void end(Child& child) {
    std::fclose(child.says);
    int status = 0;
    waitpid(child.pid, &status, 0);
    if (status != 0) {
      totals_.violations.push_back(
          {child.seed, "process",
           fmt::format("the simulator itself ended with status {}", status)});
    }
  }

  const Totals& totals() const { return totals_; }

 private:
  void add(std::istringstream& in) {
    Totals totals;
    in >> totals.seeds >> totals.events >> totals.crashes >> totals.faults >> totals.virtual_s;
    for (uint64_t& count : totals.probes.counts()) in >> count;
    totals_.add(totals);
    if (plan_.progress && totals_.seeds % 1000 == 0) {
      const auto elapsed = std::chrono::steady_clock::now() - began_;
      const double seconds = std::chrono::duration<double>(elapsed).count();
      fmt::print(stderr, "{} seeds, {:.0f} a second, {} violations\n", totals_.seeds,
                 static_cast<double>(totals_.seeds) / seconds, totals_.violations.size());
    }
  }

  const Work& plan_;
  Totals totals_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace

void Totals::add(const Totals& other) {
  seeds += other.seeds;
  events += other.events;
  crashes += other.crashes;
  faults += other.faults;
  virtual_s += other.virtual_s;
  for (size_t i = 0; i < probes.counts().size(); ++i) {
    probes.counts()[i] += other.probes.counts()[i];
  }
  violations.insert(violations.end(), other.violations.begin(), other.violations.end());
}

Totals run_campaign(const Work& plan) {
  std::vector<Child> children;
  for (int job = 0; job < plan.jobs; ++job)
    children.push_back(begin(plan, static_cast<size_t>(job)));
  Listener listener(plan);
  std::vector<bool> silent(children.size(), false);
  for (size_t open = children.size(); open > 0;) {
    for (size_t i = 0; i < children.size(); ++i) {
      if (silent[i] || listener.hear(children[i])) continue;
      silent[i] = true;
      --open;
      listener.end(children[i]);
    }
  }
  return listener.totals();
}

Totals run_one(uint64_t seed, hooks::Bug bug, bool log) {
  hooks::plant(bug);
  const Report report = World(seed, log ? Trace::Text::kAll : Trace::Text::kLast).run();
  Totals totals = totals_of(seed, report);
  fmt::print("seed {}: {} events, {} crashes, {} virtual seconds, trace {:016x}\n", seed,
             report.events, report.crashes, totals.virtual_s, report.hash);
  return totals;
}

void explain(const Violation& violation, hooks::Bug bug) {
  fmt::print("\nVIOLATION of {} by seed {}\n  {}\n", violation.checker, violation.seed,
             violation.what);
  const std::string planted =
      bug == hooks::Bug::kNone ? "" : fmt::format(" --bug {}", hooks::bug_name(bug));
  if (violation.checker != "process") {
    hooks::plant(bug);
    const Report report = World(violation.seed, Trace::Text::kLast).run();
    fmt::print("  the last events:\n");
    for (const std::string& line : report.last) fmt::print("    {}\n", line);
  }
  fmt::print("  again: perdure_sim --seed {} --log{}\n", violation.seed, planted);
}

}  // namespace perdure::sim
