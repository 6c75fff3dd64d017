#include "tool/shell_tool.h"

#include <fmt/core.h>

#include <cmath>
#include <future>

#include "base/json.h"

namespace perdure {
namespace {

constexpr size_t kCommandMaxBytes = 100'000;  // the kernel takes 128 KiB for one argument
// A command may write more than is kept. What floods is stopped: reading costs us, too.
constexpr uint64_t kFloodBytes = 1u << 30;
constexpr int64_t kTrialMs = 10'000;
constexpr uint64_t kMiB = 1u << 20;

Status wrong(const ShellToolConfig& config, std::string_view member, std::string_view what) {
  return fail(Code::kInvalid, fmt::format("tools.{}.shell.{}: {}", config.name, member, what));
}

Result<ProcessSpec> place_of(const ShellToolConfig& config, const Secrets& secrets,
                             const std::vector<std::string>& hidden) {
  using Isolation = ProcessSpec::Isolation;
  ProcessSpec spec;
  spec.isolation = config.unsafe_same_user ? Isolation::kSameUser : Isolation::kSandbox;
  spec.command = config.command;
  spec.environment = {{"PATH", kDefaultPath}, {"HOME", "/tmp"}, {"LANG", "C.UTF-8"}};
  for (const auto& [name, value] : config.environment) {
    TRY_ASSIGN(std::string filled, secrets.fill(value));
    std::erase_if(spec.environment, [&](const auto& entry) { return entry.first == name; });
    spec.environment.emplace_back(name, std::move(filled));
  }
  spec.workdir = config.workspace;
  spec.writable = {config.workspace};
  spec.readable = config.readable;
  spec.hidden = hidden;
  spec.network = config.network;
  spec.limits.cpu_s = config.cpu_s;
  spec.limits.memory_bytes = config.memory_mb * kMiB;
  spec.limits.file_bytes = config.file_mb * kMiB;
  spec.limits.processes = config.processes;
  spec.limits.output_bytes = kFloodBytes;
  return spec;
}

}  // namespace

Status check(const ShellToolConfig& config) {
  if (config.name.empty()) return fail(Code::kInvalid, "tools: a tool has no name");
  if (config.command.empty() || !config.command.front().starts_with('/')) {
    return wrong(config, "command", "begins with the absolute path of a program");
  }
  if (config.workspace.empty()) return wrong(config, "workspace", "is missing: a folder");
  for (const auto& [name, value] : config.environment) {
    if (name.empty() || name.find('=') != std::string::npos) {
      return wrong(config, "environment", "holds what cannot name a variable");
    }
  }
  for (const std::string& pointer : config.identity) {
    if (!find_pointer(json::value(), pointer)) {
      return fail(Code::kInvalid, fmt::format("tools.{}.identity: '{}' is not a JSON Pointer",
                                              config.name, pointer));
    }
  }
  // A key in the environment would not make a command know that it ran before.
  if (config.contract.effect == EffectClass::kIdempotent) {
    return fail(Code::kInvalid,
                fmt::format("tools.{}.effect: a command does not remember an idempotency key; "
                            "expected \"read\", \"repeat\" or \"once\"",
                            config.name));
  }
  return {};
}

std::string input_schema(const ShellToolConfig& config) {
  json::value most_s = static_cast<double>(config.timeout_ms) / 1000;
  if (config.timeout_ms % 1000 == 0) most_s = config.timeout_ms / 1000;
  const json::object properties = {
      {"command", {{"type", "string"}, {"description", "The command to run."}}},
      {"timeout_s",
       {{"type", "number"},
        {"description", "It is killed after this many seconds."},
        {"exclusiveMinimum", 0},
        {"maximum", most_s}}}};
  return to_canonical_json(json::object{{"type", "object"},
                                        {"properties", properties},
                                        {"required", {"command"}},
                                        {"additionalProperties", false}});
}

Result<ProcessSpec> shell_process(const ShellToolConfig& config, const Secrets& secrets,
                                  const std::vector<std::string>& hidden, std::string_view args) {
  TRY_ASSIGN(const json::value value, parse_json(args, "the arguments"));
  ObjectReader in(value, "arguments");
  std::string command = in.string("command");
  const double most_s = static_cast<double>(config.timeout_ms) / 1000;
  const double timeout_s = in.number("timeout_s", 0, most_s, most_s);
  TRY_STATUS(in.finish());
  if (command.empty() || command.size() > kCommandMaxBytes) {
    return fail(Code::kInvalid, fmt::format("arguments.command: has {} bytes; 1 to {} are possible",
                                            command.size(), kCommandMaxBytes));
  }
  if (command.find('\0') != std::string::npos) {
    return fail(Code::kInvalid, "arguments.command: holds a zero byte");
  }
  TRY_ASSIGN(ProcessSpec spec, place_of(config, secrets, hidden));
  spec.command.push_back(std::move(command));
  spec.limits.wall_ms = std::max<int64_t>(std::llround(timeout_s * 1000), 1);
  return spec;
}

Status try_shell(const ShellToolConfig& config, const Secrets& secrets,
                 const std::vector<std::string>& hidden, ProcessRunner& runner) {
  TRY_ASSIGN(ProcessSpec spec, place_of(config, secrets, hidden));
  spec.command = {"/bin/true"};
  spec.limits.wall_ms = kTrialMs;
  std::promise<ProcessExit> ended;
  ProcessCallbacks callbacks;
  callbacks.on_exit = [&](ProcessExit exit) { ended.set_value(std::move(exit)); };
  const auto process = runner.start(std::move(spec), std::move(callbacks));
  const ProcessExit exit = ended.get_future().get();
  if (exit.end == ProcessExit::End::kExited && exit.status == 0) return {};
  return fail(Code::kUnavailable, fmt::format("tools.{}.shell: {}", config.name, exit.detail));
}

}  // namespace perdure
