#pragma once
// Runs the calls of one MCP server, which it starts or reaches, and starts again when it has died.
//
// A call is written once. Not written: not sent. Written, and then nothing (the server died, hung
// or broke the protocol): in doubt. Calls wait while the server is being started or says what it
// offers, and are refused if the tool is not what was accepted.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/secrets.h"
#include "ports/clock.h"
#include "ports/http_client.h"
#include "ports/process.h"
#include "ports/timers.h"
#include "ports/tool_pins.h"
#include "tool/mcp_server.h"
#include "tool/tool_server.h"

namespace perdure {

// All of it outlives the last callback.
struct McpOutside {
  HttpClient& http;
  ProcessRunner& processes;
  Timers& timers;
  Clock& clock;
  ToolPins& pins;
  std::function<void(std::function<void()>)> spawn;  // for what waits for the disk
  Secrets secrets;
  std::vector<std::string> hidden;  // paths that no server sees
  std::string version;              // ours
};

class McpExecutor final : public ToolServer {
 public:
  // An error is a list of accepted tools that cannot be read.
  static Result<std::unique_ptr<McpExecutor>> make(McpServerConfig config, McpOutside outside);
  ~McpExecutor() override;

  // Begins to connect, and stays connected.
  void open();
  // Until it is known what may be called: at once, unless the server was never seen before. An
  // error says why it cannot be reached.
  Status wait_until_known();
  // No call is started any more. Waits for the server's end a moment.
  void close();

  void start(CallRequest request, Done done) override;
  // Reads and repeatable calls are cancelled, and what was not written yet; others run to their
  // end.
  void abort(const TaskId& task, const StepId& step) override;
  void answer(const TaskId& task, const StepId& step, Seq interrupt_seq, Decision decision,
              const Payload& given) override;

  ToolServerEntry entry() const override;
  std::vector<ToolEntry> tools() const override;
  std::optional<ToolRuling> ruling(const std::string& tool) const override;
  Result<std::vector<std::string>> accept(const std::string& seen) override;

 private:
  class State;
  explicit McpExecutor(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace perdure
