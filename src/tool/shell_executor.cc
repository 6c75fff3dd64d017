#include "tool/shell_executor.h"

#include <fmt/core.h>

#include <map>
#include <mutex>
#include <utility>

#include "tool/outcome.h"
#include "tool/shell_outcome.h"

namespace perdure {
namespace {

using Position = std::pair<TaskId, StepId>;

struct Call {
  Send send;
  size_t max_output_bytes = 0;
  Executor::Done done;
  KeptOutput out;
  KeptOutput err;
  // Guarded by the executor's mutex.
  std::unique_ptr<Process> process;
  bool unwanted = false;
};

}  // namespace

struct ShellToolExecutor::State {
  State(ProcessRunner& runner_in, Secrets secrets_in, std::vector<std::string> hidden_in)
      : runner(runner_in), secrets(std::move(secrets_in)), hidden(std::move(hidden_in)) {}

  ProcessRunner& runner;
  const Secrets secrets;
  const Masker masker = secrets.masker();
  const std::vector<std::string> hidden;
  std::map<std::string, ShellToolConfig, std::less<>> tools;
  std::mutex mutex;
  std::map<Position, std::shared_ptr<Call>> open;
};

ShellToolExecutor::ShellToolExecutor(ProcessRunner& runner, Secrets secrets,
                                     std::vector<std::string> hidden,
                                     std::vector<ShellToolConfig> tools)
    : state_(std::make_shared<State>(runner, std::move(secrets), std::move(hidden))) {
  for (ShellToolConfig& tool : tools) {
    std::string name = tool.name;
    state_->tools.insert_or_assign(std::move(name), std::move(tool));
  }
}

ShellToolExecutor::~ShellToolExecutor() = default;

void ShellToolExecutor::start(CallRequest request, Done done) {
  const Send& send = request.send;
  const auto tool = state_->tools.find(send.name);
  if (tool == state_->tools.end() || (send.args.exists() && !send.args.bytes)) {
    return done(settle_of(send, Outcome::kNotSent, FailureClass::kTransient,
                          tool == state_->tools.end()
                              ? fmt::format("no tool '{}' is configured", send.name)
                              : "the arguments were not read from the store"));
  }
  auto spec = shell_process(tool->second, state_->secrets, state_->hidden, send.args.view());
  if (!spec) {
    // Arguments are wrong for good; a secret that is missing can be mended.
    const bool args_are_wrong = spec.error().code != Code::kNotFound;
    return done(settle_of(send, args_are_wrong ? Outcome::kFailed : Outcome::kNotSent,
                          args_are_wrong ? FailureClass::kInvalid : FailureClass::kAuth,
                          state_->masker.mask(std::move(spec.error().message))));
  }
  auto call = std::make_shared<Call>();
  call->send = send;
  call->max_output_bytes = tool->second.max_output_bytes;
  call->done = std::move(done);
  const Position position{request.task, send.step};
  {
    const std::lock_guard lock(state_->mutex);
    state_->open[position] = call;
  }
  ProcessCallbacks callbacks;
  callbacks.on_stdout = [call](std::string_view bytes) {
    call->out.add(bytes, call->max_output_bytes);
  };
  callbacks.on_stderr = [call](std::string_view bytes) {
    call->err.add(bytes, call->max_output_bytes);
  };
  callbacks.on_exit = [state = state_, call, position](ProcessExit exit) {
    std::unique_ptr<Process> ended;
    bool unwanted = false;
    {
      const std::lock_guard lock(state->mutex);
      state->open.erase(position);
      ended = std::move(call->process);
      unwanted = call->unwanted;
    }
    call->done(classify_shell(call->send, exit, unwanted, std::move(call->out),
                              std::move(call->err), state->masker));
  };
  auto process = state_->runner.start(std::move(*spec), std::move(callbacks));
  process->close_stdin();
  const std::lock_guard lock(state_->mutex);
  const auto open = state_->open.find(position);
  if (open == state_->open.end() || open->second != call) return;  // it has ended already
  if (call->unwanted) process->kill();
  call->process = std::move(process);
}

void ShellToolExecutor::abort(const TaskId& task, const StepId& step) {
  const std::lock_guard lock(state_->mutex);
  const auto open = state_->open.find({task, step});
  if (open == state_->open.end()) return;
  open->second->unwanted = true;
  if (open->second->process) open->second->process->kill();
}

}  // namespace perdure
