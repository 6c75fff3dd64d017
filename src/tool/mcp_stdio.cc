#include "tool/mcp_stdio.h"

#include <fmt/core.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "tool/mcp/line_reader.h"

namespace perdure {
namespace {

constexpr int64_t kGraceMs = 2000;  // for a server whose stdin was closed
constexpr size_t kStderrTailBytes = 1024;
constexpr uint64_t kProcessesMax = 512;

Result<std::vector<std::pair<std::string, std::string>>> environment_of(
    const McpServerConfig& config, const Secrets& secrets) {
  std::vector<std::pair<std::string, std::string>> environment;
  for (const auto& [name, value] : config.environment) {
    TRY_ASSIGN(std::string filled, secrets.fill(value));
    environment.emplace_back(name, std::move(filled));
  }
  const auto set_default = [&](const char* name, std::string value) {
    if (std::none_of(environment.begin(), environment.end(),
                     [&](const auto& entry) { return entry.first == name; })) {
      environment.emplace_back(name, std::move(value));
    }
  };
  set_default("PATH", kDefaultPath);
  set_default("HOME", config.workdir);
  set_default("LANG", "C.UTF-8");
  return environment;
}

Result<ProcessSpec> spec_of(const McpServerConfig& config, const Secrets& secrets,
                            const std::vector<std::string>& hidden) {
  ProcessSpec spec;
  spec.command = config.command;
  TRY_ASSIGN(spec.environment, environment_of(config, secrets));
  spec.workdir = config.workdir;
  spec.isolation = config.unsafe_same_user ? ProcessSpec::Isolation::kSameUser
                                           : ProcessSpec::Isolation::kSandbox;
  spec.network = config.network;
  spec.writable = config.writable;
  spec.readable = config.readable;
  spec.hidden = hidden;
  spec.limits.processes = kProcessesMax;
  spec.limits.stdin_bytes = mcp::kMessageMaxBytes;
  return spec;
}

std::string described(const ProcessExit& exit, std::string_view said) {
  std::string why;
  switch (exit.end) {
    case ProcessExit::End::kNotStarted:
      why = "it could not be started";
      break;
    case ProcessExit::End::kExited:
      why = fmt::format("it ended with status {}", exit.status);
      break;
    case ProcessExit::End::kSignalled:
      why = fmt::format("signal {} ended it", exit.status);
      break;
    case ProcessExit::End::kKilled:
      why = "it was killed";
      break;
    case ProcessExit::End::kTimedOut:
    case ProcessExit::End::kOutputLimit:
    case ProcessExit::End::kDiskFull:
      why = "a limit ended it";
      break;
  }
  if (!exit.detail.empty()) why += ": " + exit.detail;
  if (!said.empty()) why += fmt::format("; the last that it wrote to stderr: {}", said);
  return why;
}

class StdioTransport final : public McpTransport,
                             public std::enable_shared_from_this<StdioTransport> {
 public:
  StdioTransport(Masker masker, Timers& timers, McpSink sink)
      : masker_(std::move(masker)), timers_(timers), sink_(std::move(sink)) {}

  void start(ProcessRunner& runner, ProcessSpec spec) {
    // The process holds us until its end has been told.
    ProcessCallbacks callbacks;
    callbacks.on_stdout = [self = shared_from_this()](std::string_view bytes) {
      self->read(bytes);
    };
    callbacks.on_stderr = [self = shared_from_this()](std::string_view bytes) {
      self->note(bytes);
    };
    callbacks.on_exit = [self = shared_from_this()](const ProcessExit& exit) { self->end(exit); };
    auto process = runner.start(std::move(spec), std::move(callbacks));
    const std::lock_guard lock(mutex_);
    if (!ended_) process_ = std::move(process);
  }

  bool send(mcp::Frame frame, int64_t, const std::string&) override {
    const std::lock_guard lock(mutex_);
    return process_ != nullptr && process_->write(std::move(frame.text) + "\n");
  }

  void agreed(const std::string&) override {}
  void forget(mcp::RequestId) override {}

  void close() override {
    {
      const std::lock_guard lock(mutex_);
      if (process_ == nullptr) return;
      process_->close_stdin();
    }
    timers_.after(kGraceMs, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->kill();
    });
  }

 private:
  void kill() {
    const std::lock_guard lock(mutex_);
    if (process_ != nullptr) process_->kill();
  }

  // On the runner's thread, as all below.
  void read(std::string_view bytes) {
    if (flooded_) return;
    const Status fed = lines_.feed(bytes, [&](std::string_view line) { sink_.on_frame(line, 0); });
    if (fed) return;
    flooded_ = true;
    sink_.on_garbage(fed.error().message);
    kill();
  }

  void note(std::string_view bytes) {
    said_ += heard_.feed(bytes);
    if (said_.size() > kStderrTailBytes) said_.erase(0, said_.size() - kStderrTailBytes);
  }

  void end(const ProcessExit& exit) {
    std::unique_ptr<Process> process;
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      process = std::move(process_);
    }
    said_ += heard_.end();
    sink_.on_closed(masker_.mask(described(exit, last_words())));
  }

  std::string last_words() const {
    std::string words;
    for (const char c : said_) words += static_cast<uint8_t>(c) < 0x20 ? ' ' : c;
    words = words.substr(std::min(words.find_first_not_of(' '), words.size()));
    while (words.ends_with(' ')) words.pop_back();
    return is_valid_utf8(words) ? words : "(not text)";
  }

  const Masker masker_;
  Timers& timers_;
  const McpSink sink_;
  mcp::LineReader lines_{mcp::kMessageMaxBytes};
  StreamMasker heard_{masker_};
  std::string said_;  // the end of it
  bool flooded_ = false;
  std::mutex mutex_;
  std::unique_ptr<Process> process_;
  bool ended_ = false;
};

}  // namespace

Result<std::shared_ptr<McpTransport>> start_mcp_process(const McpServerConfig& config,
                                                        const Secrets& secrets,
                                                        const std::vector<std::string>& hidden,
                                                        ProcessRunner& runner, Timers& timers,
                                                        McpSink sink) {
  TRY_ASSIGN(ProcessSpec spec, spec_of(config, secrets, hidden));
  auto transport = std::make_shared<StdioTransport>(secrets.masker(), timers, std::move(sink));
  transport->start(runner, std::move(spec));
  return std::shared_ptr<McpTransport>(std::move(transport));
}

}  // namespace perdure
