// Cuts the power of a program again and again, and asks each time whether what it acknowledged is
// there.
//
// The child gets a directory ({dir}), must be able to go on from what it finds there, and prints
// "ack ID" on stdout whenever something has become durable by its own word. It is killed before a
// random file operation and what it had not synced is rolled back at random. Then the verify
// command gets the directory and a file with the acknowledged ids ({acks}, one a line), and says by
// its exit status: 0 all there, 1 lost, 2 corrupt.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "dice.h"
#include "trial.h"

namespace {

namespace fs = std::filesystem;
using powerloss::TrialPlan;
using powerloss::TrialResult;
using powerloss::Verdict;
using Clock = std::chrono::steady_clock;

constexpr int kGood = 0, kBad = 1, kBroken = 2;
constexpr uint64_t kReportedFailures = 5;
constexpr double kMarginOfOps =
    1.1;  // some kills fall behind the last operation: an orderly end, then the cut

std::atomic<bool> stop = false;
static_assert(std::atomic<bool>::is_always_lock_free);

struct Totals {
  uint64_t trials = 0, lost = 0, corrupt = 0, acks = 0, power_losses = 0, killed = 0, sectors = 0,
           names = 0;
};

struct Options {
  TrialPlan plan;
  uint64_t trials = 1000, seed = 1;
  int64_t only = -1;
  bool expect_loss = false;
  std::string scratch_parent, resume;
};

std::string own_folder() {
  return fs::read_symlink("/proc/self/exe").parent_path().string();
}

uint64_t trial_seed(uint64_t seed, uint64_t trial) {
  powerloss::Dice dice(seed * 0x100000001b3 + trial);
  return dice.next();
}

void add(Totals& totals, const TrialResult& result) {
  totals.trials++;
  totals.lost += result.verdict == Verdict::kLost;
  totals.corrupt += result.verdict == Verdict::kCorrupt;
  totals.acks += result.acks;
  totals.power_losses += result.losses_of_power;
  totals.killed += result.killed;
  totals.sectors += result.rolled_back.sectors_lost;
  totals.names += result.rolled_back.names_lost;
}

void print(const char* what, const Totals& t) {
  printf(
      "%s: %lu trials, %lu lost, %lu corrupt; %lu power losses (%lu in mid-operation), %lu acks, "
      "undone: %lu "
      "sectors, %lu names\n",
      what, t.trials, t.lost, t.corrupt, t.power_losses, t.killed, t.acks, t.sectors, t.names);
  fflush(stdout);
}

// The first line names the campaign: figures of different ones must not be added up.
std::string campaign(const Options& options) {
  return std::to_string(options.seed) + " | " + options.plan.child + " | " + options.plan.verify;
}

bool load(const Options& options, Totals& t) {
  std::ifstream in(options.resume);
  if (options.resume.empty() || !in) return true;
  std::string name;
  std::getline(in, name);
  in >> t.trials >> t.lost >> t.corrupt >> t.acks >> t.power_losses >> t.killed >> t.sectors >>
      t.names;
  if (in && name == campaign(options)) return true;
  fprintf(stderr, "powerloss: %s belongs to another campaign\n", options.resume.c_str());
  return false;
}

void save(const Options& options, const Totals& t) {
  if (options.resume.empty()) return;
  const std::string next = options.resume + ".next";
  std::ofstream out(next, std::ios::trunc);
  out << campaign(options) << '\n'
      << t.trials << ' ' << t.lost << ' ' << t.corrupt << ' ' << t.acks << ' ' << t.power_losses
      << ' ' << t.killed << ' ' << t.sectors << ' ' << t.names << '\n';
  out.close();
  if (out) fs::rename(next, options.resume);
}

bool report(uint64_t trial, const TrialResult& result, const Options& options, uint64_t reported) {
  const bool bad = result.verdict != Verdict::kOk;
  if (options.only >= 0 || (bad && !options.expect_loss && reported < kReportedFailures)) {
    printf("trial %lu (again: --only %lu): %s\n", trial, trial, result.detail.c_str());
  }
  return bad;
}

// Returns an exit status.
int run(const Options& options) {
  Totals totals;
  if (!load(options, totals)) return kBroken;
  const auto started = Clock::now();
  auto shown = started;
  const uint64_t before = totals.trials;
  uint64_t reported = 0;
  const uint64_t first = options.only >= 0 ? static_cast<uint64_t>(options.only) : totals.trials;
  const uint64_t end = options.only >= 0 ? first + 1 : options.trials;
  for (uint64_t trial = first; trial < end && !stop; trial++) {
    const auto result = powerloss::run_trial(options.plan, trial_seed(options.seed, trial));
    if (!result) {
      fprintf(stderr, "powerloss: trial %lu: %s\n", trial, result.error().message.c_str());
      return kBroken;
    }
    add(totals, *result);
    reported += report(trial, *result, options, reported);
    if (Clock::now() - shown < std::chrono::seconds(5)) continue;
    shown = Clock::now();
    print("so far", totals);
    if (options.only < 0) save(options, totals);
  }
  if (options.only < 0) save(options, totals);
  print("in all", totals);
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  printf("%.1f s, %.0f trials/s\n", seconds, static_cast<double>(totals.trials - before) / seconds);
  const bool any = totals.lost + totals.corrupt > 0;
  if (options.expect_loss && !any) printf("FAILED: this must lose, and the rig did not see it\n");
  if (!options.expect_loss && any) printf("FAILED\n");
  return any == options.expect_loss ? kGood : kBad;
}

int measure_and_run(Options& options) {
  std::string scratch = options.scratch_parent + "/powerloss-XXXXXX";
  if (!mkdtemp(scratch.data())) {
    perror(scratch.c_str());
    return kBroken;
  }
  options.plan.scratch = fs::canonical(scratch).string();
  int status = kBroken;
  if (options.plan.max_ops == 0) {
    const auto ops = powerloss::count_ops(options.plan, options.seed);
    if (ops) {
      options.plan.max_ops = static_cast<uint64_t>(static_cast<double>(*ops) * kMarginOfOps) + 1;
      printf("the child makes %lu tracked operations\n", *ops);
    } else {
      fprintf(stderr, "powerloss: %s\n", ops.error().message.c_str());
    }
  }
  if (options.plan.max_ops > 0) status = run(options);
  if (options.only >= 0) {
    printf("left for a look: %s\n", options.plan.scratch.c_str());
  } else {
    fs::remove_all(options.plan.scratch);
  }
  return status;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  options.plan.shim = own_folder() + "/libpf_shim.so";
  options.scratch_parent = fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path().string();
  CLI::App app("cuts the power of a program and checks what it acknowledged");
  app.add_option("--child", options.plan.child, "command; {dir} is its directory")->required();
  app.add_option("--verify", options.plan.verify,
                 "command; {dir} and {acks}; exit 0 ok, 1 lost, 2 corrupt")
      ->required();
  app.add_option("--trials", options.trials, "in all, with those of --resume");
  app.add_option("--seed", options.seed);
  app.add_option("--only", options.only, "this one trial, told in full, its directory kept");
  app.add_option("--rounds", options.plan.max_rounds, "power losses in a trial, at most")
      ->check(CLI::Range(1, 100));
  app.add_option("--max-ops", options.plan.max_ops, "kill up to this operation; default: measured");
  app.add_option("--child-timeout-s", options.plan.child_timeout_s,
                 "then the power goes in any case");
  app.add_option("--resume", options.resume, "file that keeps the count between runs");
  app.add_option("--scratch", options.scratch_parent, "a folder, best in memory");
  app.add_option("--shim", options.plan.shim);
  app.add_flag("--expect-loss", options.expect_loss, "a control: fail unless something is lost");
  CLI11_PARSE(app, count, arguments);
  for (const int number : {SIGINT, SIGTERM}) signal(number, [](int) { stop = true; });
  return measure_and_run(options);
}
