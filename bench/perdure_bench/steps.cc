// Steps of one task, one after another.
#include <fmt/core.h>

#include "bench.h"
#include "cost.h"
#include "engine_world.h"

namespace perdure::bench {
namespace {

constexpr double kWarmUpUs = 200'000;
constexpr int kFloorSamples = 5;

struct Latency {
  double p50_us = 0;
  double p99_us = 0;
  double floor_us = 0;
  std::string cost;
};

// The time between two writes outside: outcome, turn, intent, commit, start.
Latency measure_sequential(const Options& options) {
  const ScratchDir dir(options.dir);
  WritingTool tool(dir.path() + "/outside");
  EngineWorld world(dir.path(), {.tool = tool, .snapshots = options.snapshots},
                    options.unsafe_no_sync);
  CostMeter cost(dir.path());
  std::vector<double> intervals;
  double last_us = 0;
  tool.on_start = [&] {
    const double start_us = now_us();
    if (last_us != 0) intervals.push_back(start_us - last_us);
    last_us = start_us;
  };
  world.submit_script(acting_script(1'000'000, "write"));
  const double warm_us = now_us() + kWarmUpUs;
  world.pump_until([&] { return now_us() >= warm_us; });
  intervals.clear();
  cost.start();
  const double end_us = now_us() + options.run_us();
  while (now_us() < end_us) {
    world.pump();
    if (!cost.is_sample_due()) continue;
    cost.sample_floor(kFloorSamples);
    last_us = 0;  // the interval holds the samples
  }
  cost.stop();
  return {quantile(intervals, 0.5), quantile(intervals, 0.99), cost.floor_us(),
          cost.describe(double(intervals.size()))};
}

std::string pure_script(bool turn_a_step) {
  return fmt::format(R"({{"script":[{{"repeat":1000000,"do":[{{"call":{{"step":"s",)"
                     R"("tool":"think","args":1,"executor":"planner","result":2}}}}{}]}}]}})",
                     turn_a_step ? R"(,{"await":"news"})" : "");
}

// Steps that the planner ran itself: work inside the process, committed every 10 ms.
Latency measure_pure(const Options& options, bool turn_a_step) {
  const ScratchDir dir(options.dir);
  WritingTool tool(dir.path() + "/outside");
  EngineWorld world(dir.path(), {.tool = tool, .snapshots = options.snapshots},
                    options.unsafe_no_sync);
  CostMeter cost(dir.path());
  const int64_t steps_a_turn = turn_a_step ? 1 : 500;
  const auto steps = [&] { return double(world.engine().metrics().plans) * double(steps_a_turn); };
  world.submit_script(pure_script(turn_a_step));
  std::vector<double> each_us;
  cost.start();
  const double start_us = now_us();
  while (now_us() < start_us + options.run_us() && world.ended() == 0) {
    const double from_us = now_us();
    const double done = steps();
    world.pump();
    if (steps() > done) each_us.push_back((now_us() - from_us) / (steps() - done));
  }
  const double elapsed_us = now_us() - start_us;
  cost.stop();
  if (each_us.empty()) die("no step was done");
  return {quantile(each_us, 0.5), elapsed_us / steps(), 0, cost.describe(steps())};
}

}  // namespace

Rows sequential(const Options& options) {
  Row p50{.name = "sequential acting step p50", .unit = "F", .floor = 1.6, .goal = 1.35};
  Row p99{.name = "sequential acting step p99", .unit = "F", .floor = 6, .goal = 6};
  for (int run = 0; run < options.runs; ++run) {
    const Latency latency = measure_sequential(options);
    p50.runs.push_back(latency.p50_us / latency.floor_us);
    p99.runs.push_back(latency.p99_us / latency.floor_us);
    p50.note = fmt::format("{:.0f} us; {}", latency.p50_us, latency.cost);
    p99.note = fmt::format("{:.0f} us", latency.p99_us);
  }
  p50.valid = p99.valid = !options.unsafe_no_sync;
  return {p50, p99};
}

Rows pure_steps(const Options& options) {
  Row single{
      .name = "step inside the process, a turn each, p50", .unit = "us", .floor = 10, .goal = 5};
  Row grouped{.name = "step inside the process, turns of 500, p50", .unit = "us"};
  for (int run = 0; run < options.runs; ++run) {
    for (Row* row : {&single, &grouped}) {
      const Latency latency = measure_pure(options, row == &single);
      row->runs.push_back(latency.p50_us);
      row->note = fmt::format("mean {:.2f} us; {}", latency.p99_us, latency.cost);
    }
  }
  single.valid = grouped.valid = !options.unsafe_no_sync;
  return {single, grouped};
}

}  // namespace perdure::bench
