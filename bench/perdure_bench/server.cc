// The real binary over HTTP: submissions, starts, and what waiting tasks cost.
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "bench.h"
#include "cost.h"
#include "http_load.h"
#include "server_process.h"

namespace perdure::bench {
namespace {

constexpr double kSliceSeconds = 0.2;
constexpr int kFloorSamples = 5;
constexpr int kStarts = 10;
constexpr double kMb = 1e6;

struct Measured {
  double per_s = 0;
  double p50_us = 0;
  double p99_us = 0;
  double floor_us = 0;
  double server_cpu_us = 0;  // a request
  int64_t wrong = 0;
};

// In slices, with the disk's own price between them.
Measured measure(const Options& options, int connections, bool keys) {
  const ScratchDir dir(options.dir);
  ServerProcess server(options.server, dir.path() + "/data", options.unsafe_no_sync);
  CostMeter cost(dir.path());
  Load load{.request = server.submission(), .connections = connections, .keys = keys};
  load.seconds = std::min(kSliceSeconds, options.run_us() / 1e6);
  run_load(server.port(), load);  // warms up
  std::vector<double> latencies;
  double elapsed_us = 0;
  Measured measured;
  const double cpu_before = server.cpu_us();
  cost.start();
  while (elapsed_us < options.run_us()) {
    cost.sample_floor(kFloorSamples);
    const LoadResult slice = run_load(server.port(), load);
    latencies.insert(latencies.end(), slice.latencies_us.begin(), slice.latencies_us.end());
    elapsed_us += slice.elapsed_us;
    measured.wrong += slice.wrong;
  }
  cost.stop();
  const double count = double(latencies.size());
  measured.per_s = count / elapsed_us * 1e6;
  measured.p50_us = quantile(latencies, 0.5);
  measured.p99_us = quantile(latencies, 0.99);
  measured.floor_us = cost.floor_us();
  measured.server_cpu_us = (server.cpu_us() - cpu_before) / count;
  return measured;
}

void note(Row& row, const Measured& m) {
  row.note = fmt::format("p50 {:.0f} us, p99 {:.0f} us, F {:.0f} us, server {:.1f} us CPU each",
                         m.p50_us, m.p99_us, m.floor_us, m.server_cpu_us);
  if (m.wrong == 0) return;
  row.valid = false;
  row.note = fmt::format("{} answers were not 202", m.wrong);
}

Row submissions_per_s(const Options& options, Row row, bool keys) {
  row.valid = !options.unsafe_no_sync;
  for (int run = 0; run < options.runs; ++run) {
    const Measured measured = measure(options, 64, keys);
    row.runs.push_back(measured.per_s);
    note(row, measured);
  }
  return row;
}

// From SIGKILL to the first 202 of the next process.
double kill_to_accepted_us(ServerProcess& server, const Options& options, const std::string& data,
                           int64_t& resident) {
  const double killed_us = now_us();
  server.kill();
  ServerProcess next(options.server, data, options.unsafe_no_sync);
  if (ask_once(next.port(), next.submission()) != 202) die("no 202 after a restart");
  const double elapsed_us = now_us() - killed_us;
  resident = next.resident_bytes();
  return elapsed_us;
}

}  // namespace

Rows submissions(const Options& options) {
  const Row plain{.name = "POST /v1/tasks, 64 connections",
                  .unit = "/s",
                  .better = Better::kHigher,
                  .floor = 15'000,
                  .goal = 30'000};
  const Row keyed{
      .name = "the same, with an Idempotency-Key", .unit = "/s", .better = Better::kHigher};
  Row single{.name = "POST /v1/tasks, one connection, p50", .unit = "F", .floor = 2.5, .goal = 2};
  single.valid = !options.unsafe_no_sync;
  for (int run = 0; run < options.runs; ++run) {
    const Measured measured = measure(options, 1, false);
    single.runs.push_back(measured.p50_us / measured.floor_us);
    note(single, measured);
  }
  return {submissions_per_s(options, plain, false), submissions_per_s(options, keyed, true),
          single};
}

Rows start(const Options& options) {
  Row first{.name = "first start to ready", .unit = "ms", .floor = 50, .goal = 30};
  Row again{.name = "start to ready", .unit = "ms", .floor = 50, .goal = 30};
  Row idle{.name = "idle memory", .unit = "MB", .floor = 25, .goal = 20};
  for (int i = 0; i < kStarts; ++i) {
    const ScratchDir dir(options.dir);
    for (Row* row : {&first, &again}) {
      const ServerProcess server(options.server, dir.path() + "/data", options.unsafe_no_sync);
      row->runs.push_back(server.ready_us() / 1e3);
      if (row == &again) idle.runs.push_back(double(server.resident_bytes()) / kMb);
    }
  }
  first.note = "makes the store and its log";
  idle.note = "resident, after the first answer";
  first.valid = again.valid = idle.valid = !options.unsafe_no_sync;
  return {first, again, idle};
}

namespace {

// What the files take of the disk.
int64_t bytes_in(const std::string& dir) {
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    struct stat file = {};
    if (stat(entry.path().c_str(), &file) == 0) bytes += file.st_blocks * 512;
  }
  return bytes;
}

}  // namespace

Rows suspended(const Options& options) {
  const std::string tasks = fmt::format("{} suspended tasks: ", options.waiting);
  Row before{.name = tasks + "memory over idle", .unit = "MB", .floor = 16, .goal = 16};
  Row after{.name = tasks + "the same, restarted", .unit = "MB", .floor = 16, .goal = 16};
  Row back{.name = tasks + "SIGKILL to 202", .unit = "ms", .floor = 300, .goal = 300};
  Row disk{.name = tasks + "disk of each", .unit = "KB", .floor = 1.5, .goal = 1.5};
  for (int run = 0; run < options.runs; ++run) {
    const ScratchDir dir(options.dir);
    const std::string data = dir.path() + "/data";
    ServerProcess server(options.server, data, options.unsafe_no_sync);
    const double idle = double(server.resident_bytes());
    const LoadResult filled = run_load(server.port(), {.request = server.submission(),
                                                       .connections = 64,
                                                       .seconds = 1e6,
                                                       .requests_max = options.waiting});
    if (filled.wrong > 0) die("a submission was refused");
    before.runs.push_back((double(server.resident_bytes()) - idle) / kMb);
    int64_t restarted = 0;
    back.runs.push_back(kill_to_accepted_us(server, options, data, restarted) / 1e3);
    after.runs.push_back((double(restarted) - idle) / kMb);
    disk.runs.push_back(double(bytes_in(data)) / 1024 / double(options.waiting));
  }
  disk.note = "all files of the data directory, the log too";
  before.note = "in the process that took them";
  before.valid = after.valid = back.valid = !options.unsafe_no_sync;
  return {before, after, back, disk};
}

}  // namespace perdure::bench
