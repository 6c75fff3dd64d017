#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/secrets.h"
#include "ports/executor.h"
#include "ports/process.h"
#include "tool/shell_tool.h"

namespace perdure {

// Runs shell tools: one call is one command, run once. Thread-safe; may be destroyed while calls
// are open. The runner must outlive the calls.
class ShellToolExecutor final : public Executor {
 public:
  // `hidden`: what no command sees, the data directory above all.
  ShellToolExecutor(ProcessRunner& runner, Secrets secrets, std::vector<std::string> hidden,
                    std::vector<ShellToolConfig> tools);
  ~ShellToolExecutor() override;

  void start(CallRequest request, Done done) override;
  // Kills the command.
  void abort(const TaskId& task, const StepId& step) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace perdure
