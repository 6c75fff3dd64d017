// The agent loop against a model inside the process: how often it waits for the disk, and how large
// its journal grows.
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "bench.h"
#include "calling_model.h"
#include "engine_world.h"
#include "schema/meter.h"

namespace perdure::bench {
namespace {

constexpr int kModelCalls = 10;
constexpr size_t kTurnBytes = 4096;

uint64_t files_below(const std::string& dir) {
  uint64_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    count += entry.is_regular_file() ? 1 : 0;
  }
  return count;
}

// What one agent's task did.
struct AgentRun {
  uint64_t waits = 0;
  uint64_t records = 0;
  double elapsed_us = 0;
  uint64_t checkpoints = 0;
  uint64_t new_files = 0;  // of blobs: the store's own are there before
  uint64_t syncs = 0;      // of this process
  uint64_t tool_calls = 0;
};

AgentRun run_agent(const std::string& dir, int model_calls, size_t text_bytes,
                   bool unsafe_no_sync) {
  CallingModel model(model_calls, text_bytes);
  WritingTool tool(dir + "/outside");
  EngineWorld world(dir, {.tool = tool, .http = &model, .setup = calling_setup()}, unsafe_no_sync);
  const Meter meter(dir);
  const uint64_t files = files_below(dir);
  const uint64_t syncs = meter.read().process_syncs;
  fsync(-1);  // a mark in a trace
  const double start_us = now_us();
  world.submit_to_agent("worker", R"("Write it down.")");
  world.pump_until([&] { return world.ended() == 1; });
  AgentRun run;
  run.elapsed_us = now_us() - start_us;
  fsync(-1);
  run.syncs = meter.read().process_syncs - syncs - 2;
  run.waits = world.engine().metrics().durable_waits;
  run.records = world.engine().metrics().records;
  run.checkpoints = world.store().stats().checkpoints;
  run.new_files = files_below(dir) - files;
  run.tool_calls = tool.calls;
  if (run.tool_calls + 1 != static_cast<uint64_t>(model_calls))
    die("the agent did not do its work");
  return run;
}

double most_syncs(const AgentRun& run) {
  return double(run.waits) + run.elapsed_us / 10'000 + 3 * double(run.checkpoints) +
         2 * double(run.new_files);
}

// Syncs between the two marks in what strace wrote; -1 if they are not there.
int64_t count_traced(const std::string& path) {
  std::ifstream trace(path);
  int marks = 0;
  int64_t syncs = 0;
  for (std::string line; std::getline(trace, line);) {
    if (line.find("sync(-1)") != std::string::npos || line.find("EBADF") != std::string::npos) {
      ++marks;
    } else if (marks == 1 && line.find("sync(") != std::string::npos) {
      ++syncs;
    }
  }
  return marks == 2 ? syncs : -1;
}

// Counted by somebody else: strace, over this program in its hidden mode, which exits with 0 when
// its own count is within the bound and leaves the bound in a file.
Row traced_syncs(const Options& options) {
  Row row{.name = "syncs of that run, of what is allowed, by strace",
          .unit = "ratio",
          .floor = 1,
          .goal = 1};
  row.valid = !options.unsafe_no_sync;
  for (int i = 0; i < options.runs; ++i) {
    const ScratchDir dir(options.dir);
    const std::string trace = dir.path() + "/trace";
    const std::string data = dir.path() + "/data";
    std::filesystem::create_directory(data);
    std::filesystem::permissions(data, std::filesystem::perms::owner_all);
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      execlp("strace", "strace", "-f", "-qq", "-o", trace.c_str(), "-e", "trace=fdatasync,fsync",
             std::filesystem::read_symlink("/proc/self/exe").c_str(), "--traced-agent",
             data.c_str(), nullptr);
      _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    const int64_t syncs = count_traced(trace);
    double allowed = 0;
    std::ifstream(data + "/allowed") >> allowed;
    if (status != 0 || syncs < 0 || allowed <= 0) {
      row.valid = false;
      row.note = "not run: strace is missing or may not trace";
      return row;
    }
    row.runs.push_back(double(syncs) / allowed);
    row.note = fmt::format("{} syncs of {:.1f}", syncs, allowed);
  }
  return row;
}

// The size of the database file alone, closed: the log has been moved into it.
struct History {
  double bytes = 0;
  uint64_t records = 0;
};
History history(const Options& options, int turns) {
  const ScratchDir dir(options.dir);
  const std::string database = dir.path() + "/perdure.db";
  // What every store holds.
  {
    const auto store = must(SqliteStore::open({.dir = dir.path()}));
  }
  const auto empty = std::filesystem::file_size(database);
  const AgentRun run = run_agent(dir.path(), turns, kTurnBytes, options.unsafe_no_sync);
  return {double(std::filesystem::file_size(database) - empty), run.records};
}

}  // namespace

runtime::Setup calling_setup() {
  runtime::Setup setup;
  ModelConfig model;
  model.name = "main";
  model.base_url = "https://model.invalid/v1";
  model.model = "m";
  setup.models.push_back(model);
  HttpToolConfig tool;
  tool.name = "write";
  tool.url = "https://tool.invalid/";
  tool.approval = Verdict::kAllow;
  setup.tools.push_back(tool);
  AgentSpec agent;
  agent.name = "worker";
  agent.models = {"main"};
  agent.instructions = "Write.";
  agent.tools = {{"write", "Writes.", R"({"type":"object"})"}};
  agent.mark = agent_mark(agent);
  setup.agents.push_back(agent);
  return setup;
}

int run_traced_agent(const std::string& dir) {
  const AgentRun run = run_agent(dir, kModelCalls, 64, false);
  std::ofstream(dir + "/allowed") << most_syncs(run);
  return 0;
}

Rows agent_waits(const Options& options) {
  Row waits{.name = "10 model calls, 9 tools", .unit = "durable waits", .floor = 21, .goal = 21};
  Row syncs{
      .name = "syncs of that run, of what is allowed", .unit = "ratio", .floor = 1, .goal = 1};
  for (int i = 0; i < options.runs; ++i) {
    const ScratchDir dir(options.dir);
    const AgentRun run = run_agent(dir.path(), kModelCalls, 64, options.unsafe_no_sync);
    waits.runs.push_back(double(run.waits));
    waits.note = fmt::format("{} records, {:.1f} ms", run.records, run.elapsed_us / 1e3);
    syncs.runs.push_back(double(run.syncs) / most_syncs(run));
    syncs.note = fmt::format("{} syncs of {:.1f}", run.syncs, most_syncs(run));
  }
  waits.valid = syncs.valid = !options.unsafe_no_sync;
  return {waits, syncs, traced_syncs(options)};
}

Rows history_size(const Options& options) {
  Row size{.name = "100 turns of 4 KB: disk without 300 B a record",
           .unit = "of payload",
           .floor = 1.3,
           .goal = 1.3};
  Row growth{.name = "200 turns over 100 turns", .unit = "ratio", .floor = 2.1, .goal = 2.1};
  for (int i = 0; i < options.runs; ++i) {
    const History hundred = history(options, 101);
    const History two_hundred = history(options, 201);
    const double payload = 100.0 * kTurnBytes;
    size.runs.push_back((hundred.bytes - 300.0 * double(hundred.records)) / payload);
    growth.runs.push_back(two_hundred.bytes / hundred.bytes);
    size.note = fmt::format("{:.0f} KB of payload, {} records, {:.0f} KB of database",
                            payload / 1e3, hundred.records, hundred.bytes / 1e3);
  }
  size.valid = growth.valid = !options.unsafe_no_sync;
  return {size, growth};
}

}  // namespace perdure::bench
