// The client under test for the MCP conformance suite: our executor, asked to call the first tool
// of the server at the URL that the suite gives as its last argument. A question is answered with
// nothing, so that the defaults of its schema stand.
#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <future>

#include "adapters/curl/curl_client.h"
#include "adapters/sandbox/sandbox_runner.h"
#include "adapters/system/system_clock.h"
#include "adapters/system/timer_thread.h"
#include "tool/mcp_executor.h"

namespace perdure {
namespace {

class NoPins final : public ToolPins {
 public:
  Result<std::string> load(const std::string&) override { return fail(Code::kNotFound, "none"); }
  Status save(const std::string&, const std::string&) override { return {}; }
};

CallRequest call_of(const std::string& tool, McpExecutor& executor) {
  CallRequest request;
  request.send.step = "call";
  request.send.attempt = 1;
  request.send.name = tool;
  request.send.args = Payload::of(R"({"a":2,"b":3})");
  request.key = "conformance";
  request.ask = [&executor, task = request.task](const std::string&, const Payload&,
                                                 const CallRequest::Asked& asked) {
    asked(1);
    executor.answer(task, "call", 1, Decision::kRespond, Payload::of("{}"));
  };
  return request;
}

int run(const std::string& url) {
  SystemClock clock;
  TimerThread timers;
  NoPins pins;
  SandboxRunner processes("");
  CurlClient http(clock);
  McpServerConfig config;
  config.name = "peer";
  config.url = url;
  config.allow_private = true;
  auto made = McpExecutor::make(config, {.http = http,
                                         .processes = processes,
                                         .timers = timers,
                                         .clock = clock,
                                         .pins = pins,
                                         .spawn = [](const auto& work) { work(); },
                                         .secrets = {},
                                         .hidden = {},
                                         .version = "conformance"});
  if (!made) {
    fmt::print(stderr, "{}\n", made.error().message);
    return 1;
  }
  McpExecutor& executor = **made;
  executor.open();
  if (const Status known = executor.wait_until_known(); !known) {
    fmt::print(stderr, "{}\n", known.error().message);
    return 1;
  }
  int status = 0;
  if (const auto tools = executor.tools(); !tools.empty()) {
    std::promise<SettleStep> done;
    executor.start(call_of(tools[0].name, executor),
                   [&](SettleStep settled) { done.set_value(std::move(settled)); });
    const SettleStep settled = done.get_future().get();
    fmt::print("{} {} {}\n", to_string(settled.outcome), settled.detail, settled.result.view());
    status = settled.outcome == Outcome::kSucceeded ? 0 : 1;
  }
  executor.close();
  return status;
}

}  // namespace
}  // namespace perdure

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: mcp_conformance_client URL\n");
    return 64;
  }
  return perdure::run(argv[argc - 1]);
}
