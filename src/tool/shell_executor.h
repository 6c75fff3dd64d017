#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/secrets.h"
#include "ports/executor.h"
#include "ports/process.h"
#include "tool/shell_tool.h"

namespace perdure {

// What all commands together may use of the machine.
struct ShellRoom {
  size_t at_once = 4;
  // The sum of the memory limits of those that run. One alone may have a higher one.
  uint64_t memory_bytes = UINT64_MAX;
  // Nothing is begun while less is free on the disk of its workspace, and what runs is killed while
  // half of it is not.
  uint64_t disk_bytes = 0;
};

// Runs shell tools: one call is one command, run once. Those for which there is no room wait, in
// turns of their tenants. Thread-safe; may be destroyed while calls are open. The runner must
// outlive the calls.
class ShellToolExecutor final : public Executor {
 public:
  // `hidden`: what no command sees, the data directory above all.
  // `free_bytes`: of the disk of a folder; without it no disk is too full.
  using FreeBytes = std::function<Result<uint64_t>(const std::string& folder)>;
  ShellToolExecutor(ProcessRunner& runner, Secrets secrets, std::vector<std::string> hidden,
                    std::vector<ShellToolConfig> tools, ShellRoom room = {},
                    FreeBytes free_bytes = {});
  ~ShellToolExecutor() override;

  void start(CallRequest request, Done done) override;
  // Kills the command; one that waits has not been sent.
  void abort(const TaskId& task, const StepId& step) override;
  // Nothing is begun any more: what waits, or comes later, has not been sent.
  void stop_waiting();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace perdure
