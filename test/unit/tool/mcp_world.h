#pragma once
// An MCP executor whose server, clock, timers and disk are the test's.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "tool/mcp_executor.h"

namespace perdure::test {

class ManualTimers final : public Timers {
 public:
  uint64_t after(int64_t delay_ms, std::function<void()> callback) override {
    calls_[{now_ms + delay_ms, ++last_}] = std::move(callback);
    return last_;
  }
  void cancel(uint64_t id) override {
    std::erase_if(calls_, [&](const auto& call) { return call.first.second == id; });
  }
  void advance(int64_t ms) {
    const int64_t until = now_ms + ms;
    calls_.merge(late_);
    while (!calls_.empty() && calls_.begin()->first.first <= until) {
      now_ms = calls_.begin()->first.first;
      const auto callback = std::move(calls_.begin()->second);
      calls_.erase(calls_.begin());
      callback();
    }
    now_ms = until;
  }
  // Those that are due in `ms` have fired, and can be cancelled no more; they run with the next
  // `advance`.
  void fire_late(int64_t ms) {
    now_ms += ms;
    while (!calls_.empty() && calls_.begin()->first.first <= now_ms) {
      late_.insert(calls_.extract(calls_.begin()));
    }
  }
  size_t count() const { return calls_.size(); }
  int64_t now_ms = 1'000'000;

 private:
  std::map<std::pair<int64_t, uint64_t>, std::function<void()>> calls_, late_;
  uint64_t last_ = 0;
};

class TimersClock final : public Clock {
 public:
  explicit TimersClock(ManualTimers& timers) : timers_(timers) {}
  int64_t unix_ms() override { return timers_.now_ms; }
  int64_t monotonic_us() override { return timers_.now_ms * 1000; }

 private:
  ManualTimers& timers_;
};

class MemoryPins final : public ToolPins {
 public:
  Result<std::string> load(const std::string& server) override {
    if (!texts.contains(server)) return fail(Code::kNotFound, "none");
    return texts[server];
  }
  Status save(const std::string& server, const std::string& text) override {
    if (is_full) return fail(Code::kExhausted, "no space");
    texts[server] = text;
    return {};
  }
  std::map<std::string, std::string> texts;
  bool is_full = false;
};

// Remembers what the server was sent; the test is the server.
class FakeRunner final : public ProcessRunner {
 public:
  std::unique_ptr<Process> start(ProcessSpec spec, ProcessCallbacks callbacks) override {
    specs.push_back(std::move(spec));
    callbacks_ = std::move(callbacks);
    reads = true;
    return std::make_unique<FakeProcess>(*this);
  }
  Status try_sandbox() override { return {}; }

  // One message, however it is written here.
  void say(std::string line) {
    std::erase(line, '\n');
    callbacks_.on_stdout(line + "\n");
  }
  void complain(const std::string& text) { callbacks_.on_stderr(text); }
  void exit(int status) {
    const auto on_exit = std::exchange(callbacks_, {}).on_exit;
    if (on_exit) on_exit({ProcessExit::End::kExited, status, ""});
  }

  // The oldest message that was not taken yet; null if there is none.
  json::value take() {
    if (written.empty()) return nullptr;
    const std::string line = written.front();
    written.erase(written.begin());
    return parse_json(line, "written").value();
  }

  std::vector<ProcessSpec> specs;
  std::vector<std::string> written;
  bool reads = true;

 private:
  class FakeProcess final : public Process {
   public:
    explicit FakeProcess(FakeRunner& runner) : runner_(runner) {}
    bool write(std::string bytes) override {
      if (runner_.reads) runner_.written.push_back(std::move(bytes));
      return runner_.reads;
    }
    void close_stdin() override { runner_.reads = false; }
    void kill() override {}

   private:
    FakeRunner& runner_;
  };

  ProcessCallbacks callbacks_;
};

class NoHttp final : public HttpClient {
 public:
  CallId send(HttpRequest, HttpCallbacks callbacks) override {
    callbacks.on_done({});
    return 1;
  }
  void cancel(CallId) override {}
};

inline CallRequest call_of(const std::string& tool, EffectClass effect = EffectClass::kOnce) {
  CallRequest request;
  request.send.step = tool;
  request.send.attempt = 1;
  request.send.name = "shop." + tool;
  request.send.effect = effect;
  request.send.args = Payload::of(R"({"n":1})");
  request.key = "key of " + tool;
  request.epoch = 7;
  return request;
}

struct McpWorld {
  McpWorld() {
    config.name = "shop";
    config.command = {"shop-mcp"};
  }

  void make() {
    executor = McpExecutor::make(config, {.http = http,
                                          .processes = runner,
                                          .timers = timers,
                                          .clock = clock,
                                          .pins = pins,
                                          .spawn = [](const auto& work) { work(); },
                                          .secrets = secrets,
                                          .hidden = {"/data"},
                                          .version = "1"})
                   .value();
    executor->open();
  }

  static constexpr std::string_view kTools = R"([{"name":"look","inputSchema":{"type":"object"}},
      {"name":"pay","description":"Pays.","inputSchema":{"type":"object"}}])";

  void greet(std::string_view tools = kTools) {
    answer(runner.take(), R"({"protocolVersion":"2025-11-25","capabilities":{"tools":{}},
                              "serverInfo":{"name":"shop","version":"3"}})");
    EXPECT_EQ(runner.take().at("method"), "notifications/initialized");
    answer(runner.take(), fmt::format(R"({{"tools":{}}})", tools));
  }
  void start(std::string_view tools = kTools) {
    make();
    greet(tools);
  }

  void answer(const json::value& request, std::string_view result) {
    runner.say(fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":{}}})", to_json(request.at("id")),
                           result));
  }

  void call(CallRequest request) {
    executor->start(std::move(request),
                    [this](SettleStep settled) { settles.push_back(std::move(settled)); });
  }
  // The one that came since.
  SettleStep settled() {
    EXPECT_EQ(settles.size(), 1U);
    if (settles.empty()) return {};
    SettleStep settle = std::move(settles.front());
    settles.clear();
    return settle;
  }

  McpServerConfig config;
  Secrets secrets;
  ManualTimers timers;
  TimersClock clock{timers};
  MemoryPins pins;
  FakeRunner runner;
  NoHttp http;
  std::vector<SettleStep> settles;
  std::unique_ptr<McpExecutor> executor;
};

}  // namespace perdure::test
