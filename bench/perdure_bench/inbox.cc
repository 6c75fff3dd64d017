// What a full inbox costs its readers, and what they cost those who submit meanwhile.
#include <fmt/core.h>

#include <algorithm>
#include <thread>

#include "bench.h"
#include "engine_world.h"
#include "http_load.h"
#include "schema/meter.h"
#include "server_process.h"

namespace perdure::bench {
namespace {

constexpr size_t kQuestions = 2'000;
constexpr int64_t kTurns = 50;      // of each task, before it asks
constexpr int64_t kPages = 20;      // of a run
constexpr double kEachUs = 20'000;  // an open loop of 50 submissions a second
constexpr double kAloneMs = 2;      // less than that is no difference to anybody

class Asked : public engine::Observer {
 public:
  void on_durable(std::span<const engine::Committed> tasks) override {
    for (const engine::Committed& committed : tasks) {
      for (const Record& record : committed.records) {
        if (std::holds_alternative<InterruptRequested>(record.body)) ++count;
      }
    }
  }
  size_t count = 0;
};

std::string asking_script() {
  return fmt::format(
      R"({{"script":[{{"repeat":{},"do":[{{"call":{{"step":"s","tool":"write","args":"x"}}}},)"
      R"({{"await":"s"}}]}},{{"call":{{"step":"q","tool":"ask","args":{{"order":7}}}}}},)"
      R"({{"await":"q"}}]}})",
      kTurns);
}

// A store whose tasks have done much, and ask.
void fill(const std::string& data, const std::string& outside, bool unsafe_no_sync) {
  WritingTool tool(outside);
  EngineWorld world(data, {tool}, unsafe_no_sync);
  Asked asked;
  world.engine().observe(&asked);
  for (size_t i = 0; i < kQuestions; ++i) world.submit_script(asking_script());
  world.pump_until([&] { return asked.count == kQuestions; });
}

double page_ms(const ServerProcess& server, const std::string& query) {
  const LoadResult pages =
      run_load(server.port(), {.request = server.reading("/v1/interrupts" + query),
                               .seconds = 1e6,
                               .requests_max = kPages,
                               .wanted_status = 200});
  if (pages.wrong > 0) die("a page of the inbox was refused");
  return quantile({pages.latencies_us.begin(), pages.latencies_us.end()}, 0.5) / 1e3;
}

// From the time at which each was to be sent.
double submission_p99_ms(const ServerProcess& server, double seconds) {
  std::vector<double> latencies;
  const double begin_us = now_us();
  for (double due_us = begin_us; due_us < begin_us + seconds * 1e6; due_us += kEachUs) {
    const double early_us = due_us - now_us();
    if (early_us > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(static_cast<int64_t>(early_us)));
    }
    if (ask_once(server.port(), server.submission()) != 202) die("a submission was refused");
    latencies.push_back(now_us() - due_us);
  }
  return quantile(latencies, 0.99) / 1e3;
}

double beside_reader(const ServerProcess& server, double seconds) {
  const double alone_ms = submission_p99_ms(server, seconds);
  std::thread reader([&] {
    run_load(server.port(), {.request = server.reading("/v1/interrupts?limit=200"),
                             .seconds = seconds + 0.5,
                             .wanted_status = 200});
  });
  const double beside_ms = submission_p99_ms(server, seconds);
  reader.join();
  return beside_ms / std::max(alone_ms, kAloneMs);
}

}  // namespace

Rows inbox(const Options& options) {
  const std::string of = fmt::format("an inbox of {} questions: ", kQuestions);
  Row page{.name = of + "page of 50", .unit = "ms", .floor = 10, .goal = 3};
  Row large{.name = of + "page of 200", .unit = "ms", .floor = 20, .goal = 6};
  Row nobody{.name = of + "assignee=nobody", .unit = "ms", .floor = 10, .goal = 3};
  Row beside{.name = "submission p99 beside its reader, over alone or 2 ms",
             .unit = "x",
             .floor = 2,
             .goal = 1.2};
  const ScratchDir dir(options.dir);
  const std::string data = dir.path() + "/data";
  fill(data, dir.path() + "/outside", options.unsafe_no_sync);
  const ServerProcess server(options.server, data, options.unsafe_no_sync);
  for (int run = 0; run < options.runs; ++run) {
    page.runs.push_back(page_ms(server, "?limit=50"));
    large.runs.push_back(page_ms(server, "?limit=200"));
    nobody.runs.push_back(page_ms(server, "?assignee=nobody"));
    beside.runs.push_back(beside_reader(server, options.run_us() / 2e6));
  }
  page.note = fmt::format("tasks of {} turns each", kTurns);
  for (Row* row : {&page, &large, &nobody, &beside}) row->valid = !options.unsafe_no_sync;
  return {page, large, nobody, beside};
}

}  // namespace perdure::bench
