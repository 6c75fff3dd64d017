#include "adapters/sandbox/sandbox_runner.h"

#include <unistd.h>

#include <future>

#include "adapters/sandbox/loop.h"

namespace perdure {
namespace {

constexpr int64_t kTrialMs = 10'000;

std::string find_bwrap(std::string_view path) {
  while (!path.empty()) {
    const size_t colon = path.find(':');
    const std::string file = std::string(path.substr(0, colon)) + "/bwrap";
    if (file.starts_with('/') && access(file.c_str(), X_OK) == 0) return file;
    path = colon == std::string_view::npos ? "" : path.substr(colon + 1);
  }
  return "";
}

class SandboxProcess final : public Process {
 public:
  SandboxProcess(std::shared_ptr<SandboxLoop> loop, SandboxLoop::Id id,
                 std::shared_ptr<StdinState> stdin_state, size_t stdin_bytes_max)
      : loop_(std::move(loop)),
        id_(id),
        stdin_(std::move(stdin_state)),
        stdin_bytes_max_(stdin_bytes_max) {}
  ~SandboxProcess() override { kill(); }

  bool write(std::string bytes) override {
    if (!stdin_->open) return false;
    const size_t size = bytes.size();
    if (stdin_->waiting_bytes.fetch_add(size) + size > stdin_bytes_max_) {
      stdin_->waiting_bytes -= size;
      return false;
    }
    put(SandboxLoop::Command::What::kWrite, std::move(bytes));
    return true;
  }

  void close_stdin() override {
    stdin_->open = false;
    put(SandboxLoop::Command::What::kCloseStdin);
  }

  void kill() override { put(SandboxLoop::Command::What::kKill); }

 private:
  void put(SandboxLoop::Command::What what, std::string bytes = {}) {
    SandboxLoop::Command command;
    command.what = what;
    command.id = id_;
    command.bytes = std::move(bytes);
    loop_->put(std::move(command));
  }

  const std::shared_ptr<SandboxLoop> loop_;
  const SandboxLoop::Id id_;
  const std::shared_ptr<StdinState> stdin_;
  const size_t stdin_bytes_max_;
};

}  // namespace

SandboxRunner::SandboxRunner(std::string_view path)
    : loop_(std::make_shared<SandboxLoop>(find_bwrap(path))) {}

SandboxRunner::~SandboxRunner() {
  loop_->stop();
}

std::unique_ptr<Process> SandboxRunner::start(ProcessSpec spec, ProcessCallbacks callbacks) {
  auto stdin_state = std::make_shared<StdinState>();
  SandboxLoop::Command command;
  command.what = SandboxLoop::Command::What::kStart;
  command.id = loop_->next_id();
  auto process =
      std::make_unique<SandboxProcess>(loop_, command.id, stdin_state, spec.limits.stdin_bytes);
  command.child =
      std::make_unique<Child>(std::move(spec), std::move(callbacks), std::move(stdin_state));
  loop_->put(std::move(command));
  return process;
}

Status SandboxRunner::try_sandbox() {
  std::promise<ProcessExit> ended;
  ProcessSpec spec;
  spec.command = {"/bin/true"};
  spec.workdir = "/tmp";
  spec.limits.wall_ms = kTrialMs;
  ProcessCallbacks callbacks;
  callbacks.on_exit = [&](ProcessExit exit) { ended.set_value(std::move(exit)); };
  const auto process = start(std::move(spec), std::move(callbacks));
  const ProcessExit exit = ended.get_future().get();
  if (exit.end == ProcessExit::End::kExited && exit.status == 0) return {};
  return fail(Code::kUnavailable, exit.detail);
}

}  // namespace perdure
