// Many tasks at once, in a process of its own that is killed when it is done: what it said counts
// only if the store has it, and if the world outside saw the same steps.
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "adapters/sqlite/doctor.h"
#include "bench.h"
#include "cost.h"
#include "engine_world.h"

namespace perdure::bench {
namespace {

constexpr size_t kPageBytes = 1u << 20;

struct Outcome {
  double steps_per_s = 0;
  double cpu_us = 0;  // a step
  char cost[160] = {};
};

// The child: works, tells, waits for its end.
[[noreturn]] void work(const Options& options, const std::string& dir, int tell_fd) {
  WritingTool tool(dir + "/outside");
  EngineWorld world(dir, {tool}, options.unsafe_no_sync);
  CostMeter cost(dir);
  const double steps = double(options.tasks) * double(options.steps);
  cost.start();
  cost.sample_floor(100);
  const double start_us = now_us();
  for (int64_t i = 0; i < options.tasks; ++i) {
    world.submit_script(acting_script(options.steps, "write"));
  }
  world.pump_until([&] { return world.ended() == uint64_t(options.tasks); });
  Outcome outcome;
  outcome.steps_per_s = steps / (now_us() - start_us) * 1e6;
  cost.stop();
  outcome.cpu_us = cost.cpu_used_us() / steps;
  const engine::Metrics& metrics = world.engine().metrics();
  fmt::format_to_n(outcome.cost, sizeof outcome.cost - 1,
                   "{}, {:.2f} frames, {:.0f} steps a commit", cost.describe(steps),
                   double(metrics.frames) / steps, steps / double(metrics.commits));
  if (write(tell_fd, &outcome, sizeof outcome) != ssize_t(sizeof outcome)) _exit(1);
  for (;;) pause();
}

using Names = std::vector<uint64_t>;  // hashes of "task step"

Names written_outside(const std::string& path) {
  Names names;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t end = line.find(' ', line.find(' ') + 1);
    names.push_back(std::hash<std::string>{}(line.substr(0, end)));
  }
  std::sort(names.begin(), names.end());
  return names;
}

void add_succeeded(SqliteStore& store, const TaskId& task, Names& names) {
  for (Seq next = 1;;) {
    const auto page = must(store.frames(task, next, kPageBytes));
    if (page.empty()) return;
    for (const Frame& frame : page) {
      for (const Record& record : must(decode_frame(frame))) {
        const auto* settled = std::get_if<StepSettled>(&record.body);
        if (settled == nullptr || settled->outcome != perdure::Outcome::kSucceeded) continue;
        names.push_back(std::hash<std::string>{}(WritingTool::name_of(task, settled->step)));
      }
    }
    next = page.back().last_seq() + 1;
  }
}

Names stored_as_succeeded(const std::string& dir) {
  SqliteOptions options;
  options.dir = dir;
  const auto store = must(SqliteStore::open(options));
  Names names;
  TaskQuery query;
  query.tenant = "default";
  for (;;) {
    const auto page = must(store->tasks(query));
    for (const TaskRow& row : page) add_succeeded(*store, row.id, names);
    if (page.size() < query.limit) break;
    query.before = page.back().id;
  }
  std::sort(names.begin(), names.end());
  return names;
}

// What is wrong with what the killed process left; empty: nothing.
std::string examine(const std::string& dir, int64_t steps) {
  const Names stored = stored_as_succeeded(dir);
  const Names outside = written_outside(dir + "/outside");
  if (stored != outside || stored.size() != size_t(steps)) {
    return fmt::format("{} steps are stored, {} were counted outside, {} were wanted",
                       stored.size(), outside.size(), steps);
  }
  const StoreReport report = must(examine_store(dir, nullptr));
  if (!report.healthy()) return report.problems.front();
  return {};
}

Outcome run_and_kill(const Options& options, const std::string& dir) {
  int pipe_fds[2];
  if (pipe(pipe_fds) != 0) die("no pipe");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) die("cannot fork");
  if (child == 0) {
    close(pipe_fds[0]);
    work(options, dir, pipe_fds[1]);
  }
  close(pipe_fds[1]);
  Outcome outcome;
  const bool told = read(pipe_fds[0], &outcome, sizeof outcome) == ssize_t(sizeof outcome);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(pipe_fds[0]);
  if (!told) die("the process with many tasks ended early");
  return outcome;
}

}  // namespace

Rows many_tasks(const Options& options) {
  Row rate{.name = fmt::format("{} tasks of {} acting steps", options.tasks, options.steps),
           .unit = "steps/s",
           .better = Better::kHigher,
           .floor = 50'000,
           .goal = 100'000};
  rate.valid = !options.unsafe_no_sync;
  for (int run = 0; run < options.runs; ++run) {
    const ScratchDir dir(options.dir);
    const Outcome outcome = run_and_kill(options, dir.path());
    rate.runs.push_back(outcome.steps_per_s);
    rate.note = outcome.cost;
    const std::string wrong = examine(dir.path(), options.tasks * options.steps);
    if (wrong.empty()) continue;
    rate.valid = false;
    rate.note = "after SIGKILL: " + wrong;
    break;
  }
  return {rate};
}

}  // namespace perdure::bench
