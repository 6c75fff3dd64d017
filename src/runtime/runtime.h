#pragma once
// A running engine out of planners, executors and the ports it is given. The server, the library,
// the simulator and the benchmarks use this same assembly. No HTTP server, no threads of its own.
#include <memory>
#include <string>
#include <vector>

#include "base/secrets.h"
#include "engine/engine.h"
#include "model/model_config.h"
#include "model/provider.h"
#include "ports/http_client.h"
#include "ports/process.h"
#include "runtime/agent_catalog.h"
#include "runtime/model_executor.h"
#include "runtime/policy.h"
#include "runtime/tool_router.h"
#include "runtime/workers.h"
#include "tool/http_tool.h"
#include "tool/mcp_executor.h"
#include "tool/shell_executor.h"
#include "tool/shell_tool.h"

namespace perdure::runtime {

struct AgentFile {
  std::string name;  // as it is configured
  std::string path;
  json::value document;
};

// What the operator configured.
struct Setup {
  std::vector<ModelConfig> models;
  std::vector<HttpToolConfig> tools;
  std::vector<ShellToolConfig> shell_tools;
  ShellRoom shell_room;
  std::vector<std::string> hidden;  // from children: the data directory and what holds secrets
  std::vector<McpServerConfig> mcp;
  std::vector<PolicyRule> policy;
  std::vector<AgentSpec> agents;
  std::vector<AgentFile> agent_files;  // what their tools are is known only when servers were asked
  std::map<std::string, PlainAgent> plain_agents;
  engine::Options engine;
};

// Everything outside; it outlives the runtime. But what calls back from threads of its own (the
// client, the runner of processes, the threads behind `spawn`) has called for the last time before
// the runtime is destroyed.
struct Outside {
  Store& store;
  Blobs& blobs;
  Clock& clock;
  Rng& rng;
  HttpClient& http;
  Spawn spawn;
  Secrets secrets;          // of tools, by name
  SecretSource model_keys;  // read at each model call
  std::function<void(std::string why)> on_store_failure;
  ProcessRunner* processes = nullptr;  // where a tool of the setup needs one
  // Where the setup has tool servers.
  Timers* timers = nullptr;
  ToolPins* pins = nullptr;
  std::string version = {};                      // ours
  ShellToolExecutor::FreeBytes free_bytes = {};  // optional: no disk is too full for a command
  Spawn load = {};  // of tasks from the store, which takes long for long ones; empty: by `spawn`
  Snapshots* snapshots = nullptr;  // null: there are none
};

class Runtime {
 public:
  // Checks the setup as a whole: agents name models and tools that exist. Starts the tool servers;
  // waits for those that were never seen before.
  static Result<std::unique_ptr<Runtime>> make(Setup setup, Outside outside);
  ~Runtime();

  engine::Engine& engine();
  AgentCatalog& agents();
  const Setup& setup() const;

  // Before the first pump. Planners that are not ours, e.g. those that register over HTTP: asked
  // for every name that is neither "agent" nor "script"; null if there is none of that name.
  void set_remote_planners(std::function<Planner*(const std::string& name)> find);
  // In place of the executor for tools; for benchmarks and tests that run tools inside the process.
  void set_tool_executor(Executor* executor);
  // Every tool, its contract and its state; and what is accepted of a server's.
  ToolCatalog& tools();
  // The contract of a tool that the setup does not have: with set_tool_executor.
  void add_tool(const std::string& name, ToolRules rules);
  // Commands that wait for room are not begun any more: they have not been sent. Any thread.
  void stop_waiting();
  // Ends the tool servers in order. Behind the engine's last pump.
  void close_tools();
  void set_on_delta(OnDelta on_delta);

 private:
  struct Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace perdure::runtime
