#pragma once
// A tool that runs a command which the model writes, as the operator configured it.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secrets.h"
#include "journal/terms.h"
#include "ports/process.h"

namespace perdure {

struct ShellToolConfig {
  std::string name;
  std::string description;
  std::vector<std::string> command = {"/bin/sh", "-c"};  // the model's text is its last argument
  std::string workspace;              // absolute; where it runs, and all that it may write to
  std::vector<std::string> readable;  // absolute
  std::vector<std::pair<std::string, std::string>> environment;  // values may hold {{secret:NAME}}
  bool network = false;
  bool unsafe_same_user = false;  // without a sandbox
  int64_t timeout_ms =
      120'000;  // the most that a call may ask for, and what it gets if it does not
  uint64_t cpu_s = 120;
  uint64_t memory_mb = 4096;
  uint64_t file_mb = 1024;  // the largest file that is written
  uint64_t processes = 128;
  size_t max_output_bytes = 1u << 20;  // kept of stdout, and of stderr
  Contract contract;
  Verdict approval = Verdict::kAsk;
  std::vector<std::string> identity;  // JSON Pointers; none: all arguments
  std::string check;                  // see ToolRules
};

// The first thing that is wrong with `config`, named for the operator.
Status check(const ShellToolConfig& config);

// What a model is told of the arguments.
std::string input_schema(const ShellToolConfig& config);

// The process for one call. `args`: {command, timeout_s?}. `hidden`: see ProcessSpec.
Result<ProcessSpec> shell_process(const ShellToolConfig& config, const Secrets& secrets,
                                  const std::vector<std::string>& hidden, std::string_view args);

// Runs a command that does nothing, in the place where the model's will run: the error says why
// they would not. Waits for it; not on the runner's thread.
Status try_shell(const ShellToolConfig& config, const Secrets& secrets,
                 const std::vector<std::string>& hidden, ProcessRunner& runner);

}  // namespace perdure
