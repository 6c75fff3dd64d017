// What a submission costs beside the disk: POST /v1/tasks through the API, the engine and a store
// in memory, on one thread.
//   bench_api_submit [requests]
#include <fmt/core.h>

#include <chrono>

#include "adapters/memory/memory_store.h"
#include "api/api.h"
#include "fakes/counting_rng.h"
#include "fakes/no_blobs.h"

namespace perdure {
namespace {

class WallClock : public Clock {
 public:
  int64_t unix_ms() override { return monotonic_us() / 1000; }
  int64_t monotonic_us() override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

class NoTimers : public Timers {
 public:
  uint64_t after(int64_t, std::function<void()>) override { return 1; }
  void cancel(uint64_t) override {}
};

class OneAgent : public Agents {
 public:
  Result<AgentEntry> find(const std::string&, const std::string& name) const override {
    return AgentEntry{name, "1", "silent", {}};
  }
  std::vector<std::string> names(const std::string&) const override { return {}; }
  Result<std::vector<AgentVersion>> versions(const std::string&,
                                             const std::string&) const override {
    return nothing();
  }
  Result<std::string> content(const std::string&) const override { return nothing(); }
  Result<std::vector<std::string>> warnings(const std::string&) const override { return nothing(); }
  Result<PutAgent> prepare(const std::string&, const std::string&, const json::value&,
                           const std::string&, int64_t) override {
    return nothing();
  }
  void publish(const PutAgent&) override {}

 private:
  static tl::unexpected<Error> nothing() { return fail(Code::kNotFound, "there is no such thing"); }
};

class NoTools : public ToolCatalog {
 public:
  std::vector<ToolEntry> tools() const override { return {}; }
  std::vector<ToolServerEntry> servers() const override { return {}; }
  std::optional<CallPlace> place(const std::string&, std::string_view,
                                 std::string_view) const override {
    return std::nullopt;
  }
  Result<std::vector<std::string>> accept(const std::string&, const std::string&) override {
    return fail(Code::kNotFound, "there is no such server");
  }
};

class SilentPlanner : public Planner {
 public:
  bool in_process() const override { return true; }
  void plan(PlanRequest, Done) override {}
};

class NoPolicy : public Policy {
 public:
  Status judge(const std::string&, AnswerTurn&) override { return {}; }
  Status judge_edit(const std::string&, const std::string&, Resolve&) override { return {}; }
  Status judge_answer(const Payload&, const Payload&) override { return {}; }
};

class Counter : public api::Responder {
 public:
  explicit Counter(size_t& accepted) : accepted_(accepted) {}
  void respond(api::Response response) override { accepted_ += response.status == 202; }
  void start_stream(api::Response) override {}
  bool write(std::string_view) override { return false; }
  void end_stream() override {}
  void on_disconnect(std::function<void()>) override {}

 private:
  size_t& accepted_;
};

api::Request submission(size_t i) {
  api::Request request;
  request.method = "POST";
  request.target = "/v1/tasks";
  request.headers = {{"host", "127.0.0.1:7070"},
                     {"user-agent", "bench"},
                     {"accept", "*/*"},
                     {"authorization", "Bearer secret"},
                     {"content-type", "application/json"},
                     {"idempotency-key", fmt::format("key-{}", i)}};
  request.body = fmt::format(
      R"({{"agent":"refunds","input":"order {} arrived broken, please refund it","metadata":{{"team":"blue"}}}})",
      i);
  return request;
}

int run(size_t requests) {
  WallClock clock;
  test::CountingRng rng;
  NoTimers timers;
  test::NoBlobs blobs;
  OneAgent agents;
  NoTools tools;
  SilentPlanner planner;
  NoPolicy policy;
  MemoryStore store(std::string(32, 's'));
  api::RemotePlanners planners(timers, {});
  engine::Engine engine(
      {store, blobs, clock, rng, policy, [&](const std::string&) -> Planner* { return &planner; },
       [](CallKind) -> Executor* { return nullptr; }, [](std::string) {}},
      {});
  api::Api api({engine,
                store,
                blobs,
                agents,
                tools,
                clock,
                rng,
                timers,
                planners,
                store.secret(),
                {{sha256("secret"), "bench", "bench", api::kRun}},
                {},
                {},
                {}});
  engine.observe(&api.observer());
  constexpr size_t kBatch = 200;
  size_t accepted = 0;
  std::chrono::nanoseconds in_api{0};
  std::vector<api::Request> batch;
  const auto began = std::chrono::steady_clock::now();
  std::chrono::nanoseconds preparing{0};
  for (size_t done = 0; done < requests; done += kBatch) {
    const auto t0 = std::chrono::steady_clock::now();
    batch.clear();
    for (size_t i = 0; i < kBatch; ++i) batch.push_back(submission(done + i));
    const auto t1 = std::chrono::steady_clock::now();
    for (api::Request& request : batch) {
      api.handle(std::move(request), std::make_shared<Counter>(accepted));
    }
    in_api += std::chrono::steady_clock::now() - t1;
    preparing += t1 - t0;
    while (engine.pump()) continue;
  }
  const auto all = std::chrono::steady_clock::now() - began - preparing;
  const auto us = [&](std::chrono::nanoseconds time) {
    return static_cast<double>(time.count()) / 1000 / static_cast<double>(requests);
  };
  fmt::print("{} accepted; {:.2f} us in the API before the engine, {:.2f} us in all: {:.0f}/s\n",
             accepted, us(in_api), us(all), 1e6 / us(all));
  return accepted == requests ? 0 : 1;
}

}  // namespace
}  // namespace perdure

int main(int argc, char** argv) {
  return perdure::run(argc > 1 ? std::stoul(argv[1]) / 200 * 200 : 100'000);
}
