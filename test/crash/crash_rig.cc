// Kills the engine's process again and again and looks, from outside of it, what was lost and what
// was done twice. README.md tells more.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "base/hooks.h"
#include "crash/campaign.h"

namespace perdure::crash {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kGood = 0, kBad = 1, kBroken = 2;
constexpr uint64_t kReportedTrials = 5;
constexpr double kStepOpenShare = 0.8;
constexpr uint64_t kKillsForShares = 300;  // fewer need not have been everywhere

std::atomic<bool> stop = false;

struct Options {
  CampaignOptions campaign;
  uint64_t kills = 500;
  std::string resume, scratch_parent;
  std::string expect;  // "lost", "repeated" or "wrong": a control
};

uint64_t percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : part * 100 / whole;
}

void print(const char* what, const Totals& t) {
  fmt::print(
      "{}: {} kills ({} at named points) in {} directories, {} % with a step open; {} tasks, {} "
      "requests; lost {}, repeated {}, otherwise wrong {}\n",
      what, t.kills, t.at_points, t.trials, percent(t.with_step_open, t.kills), t.tasks, t.requests,
      t.lost, t.repeated, t.wrong);
  std::fflush(stdout);
}

void print(const std::vector<std::string>& problems, const char* what) {
  for (size_t i = 0; i < problems.size() && i < 5; ++i) {
    fmt::print("  {}: {}\n", what, problems[i]);
  }
}

void print_points(const Totals& totals) {
  for (const auto& [name, point] : totals.points) {
    fmt::print("  {:<24} {:>6} kills, walked to its end {} times\n", name, point.kills,
               point.walked);
  }
}

bool was_everywhere(const Totals& totals) {
  bool good = true;
  for (const auto& [name, point] : totals.points) {
    if (point.kills > 0) continue;
    fmt::print("FAILED: nothing was killed at {}\n", name);
    good = false;
  }
  if (static_cast<double>(totals.with_step_open) <
      kStepOpenShare * static_cast<double>(totals.kills)) {
    fmt::print("FAILED: too few of the kills met an open step\n");
    good = false;
  }
  return good;
}

uint64_t found(const Totals& totals, const std::string& what) {
  return what == "lost" ? totals.lost : what == "repeated" ? totals.repeated : totals.wrong;
}

int run(const Options& options) {
  Totals totals;
  const std::string campaign = fmt::format("seed {} plant '{}' point '{}'", options.campaign.seed,
                                           options.campaign.plant, options.campaign.only_point);
  if (!options.resume.empty() && !totals.read(options.resume, campaign)) {
    fmt::print(stderr, "crash_rig: {} belongs to another campaign\n", options.resume);
    return kBroken;
  }
  const auto started = Clock::now();
  auto shown = started;
  const uint64_t kills_before = totals.kills;
  uint64_t reported = 0;
  while (totals.kills < options.kills && !stop) {
    if (!options.expect.empty() && found(totals, options.expect) > 0) break;
    const uint64_t trial = totals.trials;
    const Verdict verdict = run_trial(options.campaign, trial, totals);
    if (!verdict.good() && reported++ < kReportedTrials) {
      fmt::print("trial {}:\n", trial);
      print(verdict.lost, "lost");
      print(verdict.repeated, "repeated");
      print(verdict.wrong, "wrong");
      if (options.expect.empty()) {
        const std::string kept = fmt::format("{}/trial-{}", options.scratch_parent, trial);
        fs::remove_all(kept);
        fs::copy(options.campaign.scratch + "/data", kept, fs::copy_options::recursive);
        fmt::print("  kept for a look: {}\n", kept);
      }
    }
    if (Clock::now() - shown < std::chrono::seconds(10)) continue;
    shown = Clock::now();
    print("so far", totals);
    if (!options.resume.empty()) totals.write(options.resume, campaign);
  }
  if (!options.resume.empty()) totals.write(options.resume, campaign);
  print("in all", totals);
  print_points(totals);
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  fmt::print(
      "{:.1f} s, {:.0f} ms a kill\n", seconds,
      1000 * seconds / static_cast<double>(std::max<uint64_t>(1, totals.kills - kills_before)));
  if (!options.expect.empty()) {
    if (found(totals, options.expect) > 0) return kGood;
    fmt::print("FAILED: '{}' was planted and the rig did not see it\n", options.campaign.plant);
    return kBad;
  }
  bool good = totals.lost + totals.repeated + totals.wrong == 0;
  if (totals.kills >= kKillsForShares) good &= was_everywhere(totals);
  if (!good) fmt::print("FAILED\n");
  return good ? kGood : kBad;
}

int prepare_and_run(Options& options) {
  const std::string& plant = options.campaign.plant;
  if (!plant.empty() && hooks::bug_named(plant) == hooks::Bug::kNone) {
    fmt::print(stderr, "crash_rig: there is no bug '{}'\n", plant);
    return kBroken;
  }
  std::string scratch = options.scratch_parent + "/crash-XXXXXX";
  if (mkdtemp(scratch.data()) == nullptr) {
    std::perror(scratch.c_str());
    return kBroken;
  }
  options.campaign.scratch = scratch;
  const int status = run(options);
  fs::remove_all(scratch);
  return status;
}

}  // namespace
}  // namespace perdure::crash

int main(int count, char** arguments) {
  using namespace perdure::crash;
  Options options;
  options.campaign.child =
      fs::read_symlink("/proc/self/exe").parent_path().string() + "/crash_child";
  options.scratch_parent = fs::temp_directory_path().string();
  CLI::App app("kills the engine's process and checks what it promised");
  app.add_option("--kills", options.kills, "in all, with those of --resume");
  app.add_option("--seed", options.campaign.seed);
  app.add_option("--child", options.campaign.child);
  app.add_option("--plant", options.campaign.plant, "a bug, for a control");
  app.add_option("--expect", options.expect, "lost, repeated or wrong: fail unless it is seen");
  app.add_option("--only-point", options.campaign.only_point, "of the crash points, just this one");
  app.add_option("--resume", options.resume, "file that keeps the count between runs");
  app.add_option("--scratch", options.scratch_parent, "a folder for the data directories");
  CLI11_PARSE(app, count, arguments);
  for (const int number : {SIGINT, SIGTERM}) signal(number, [](int) { stop = true; });
  return prepare_and_run(options);
}
