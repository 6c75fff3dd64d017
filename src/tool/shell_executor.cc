#include "tool/shell_executor.h"

#include <fmt/core.h>

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/turns.h"
#include "tool/outcome.h"
#include "tool/shell_outcome.h"

namespace perdure {
namespace {

using Position = std::pair<TaskId, StepId>;

constexpr const char* kStopping = "the server is stopping";

struct Call {
  Position position;
  Send send;
  ProcessSpec spec;
  size_t max_output_bytes = 0;
  Executor::Done done;
  KeptOutput out;
  KeptOutput err;
  // Guarded by the executor's mutex.
  std::unique_ptr<Process> process;
  bool unwanted = false;
};

using CallPtr = std::shared_ptr<Call>;

void settle_not_sent(Call& call, std::string why) {
  call.done(settle_of(call.send, Outcome::kNotSent, FailureClass::kTransient, std::move(why)));
}

}  // namespace

struct ShellToolExecutor::State : std::enable_shared_from_this<State> {
  State(ProcessRunner& runner_in, Secrets secrets_in, std::vector<std::string> hidden_in,
        ShellRoom room_in, FreeBytes free_bytes_in)
      : runner(runner_in),
        secrets(std::move(secrets_in)),
        hidden(std::move(hidden_in)),
        room(room_in),
        free_bytes(std::move(free_bytes_in)) {}

  void run_waiting();
  CallPtr take_next();
  bool has_room_for(const Call& call) const;
  void run(const CallPtr& call);
  void ended(const CallPtr& call, const ProcessExit& exit);
  std::optional<std::string> full_disk(const Call& call) const;

  ProcessRunner& runner;
  const Secrets secrets;
  const Masker masker = secrets.masker();
  const std::vector<std::string> hidden;
  const ShellRoom room;
  const FreeBytes free_bytes;
  std::map<std::string, ShellToolConfig, std::less<>> tools;
  std::mutex mutex;
  std::map<Position, CallPtr> open;  // those that wait, and those that run
  Turns<CallPtr> waiting;
  size_t running = 0;
  uint64_t running_memory_bytes = 0;
  bool stopped = false;
};

void ShellToolExecutor::State::run_waiting() {
  while (const CallPtr call = take_next()) {
    if (auto full = full_disk(*call)) {
      ended(call, {ProcessExit::End::kNotStarted, 0, std::move(*full)});
    } else {
      run(call);
    }
  }
}

CallPtr ShellToolExecutor::State::take_next() {
  const std::lock_guard lock(mutex);
  if (waiting.empty() || !has_room_for(*waiting.next())) return nullptr;
  CallPtr call = waiting.take();
  ++running;
  running_memory_bytes += call->spec.limits.memory_bytes;
  return call;
}

bool ShellToolExecutor::State::has_room_for(const Call& call) const {
  if (running == 0) return true;
  return running < room.at_once && call.spec.limits.memory_bytes <= room.memory_bytes &&
         running_memory_bytes <= room.memory_bytes - call.spec.limits.memory_bytes;
}

std::optional<std::string> ShellToolExecutor::State::full_disk(const Call& call) const {
  if (!free_bytes) return std::nullopt;
  const auto found = free_bytes(call.spec.workdir);
  if (!found || *found >= room.disk_bytes) return std::nullopt;
  constexpr uint64_t kMiB = 1u << 20;
  return fmt::format("the disk of {} has {} MiB left; nothing is begun below {} MiB",
                     call.spec.workdir, *found / kMiB, room.disk_bytes / kMiB);
}

void ShellToolExecutor::State::run(const CallPtr& call) {
  ProcessCallbacks callbacks;
  callbacks.on_stdout = [call](std::string_view bytes) {
    call->out.add(bytes, call->max_output_bytes);
  };
  callbacks.on_stderr = [call](std::string_view bytes) {
    call->err.add(bytes, call->max_output_bytes);
  };
  callbacks.on_exit = [self = shared_from_this(), call](const ProcessExit& exit) {
    self->ended(call, exit);
    self->run_waiting();
  };
  auto process = runner.start(call->spec, std::move(callbacks));
  process->close_stdin();
  const std::lock_guard lock(mutex);
  const auto found = open.find(call->position);
  if (found == open.end() || found->second != call) return;  // it has ended already
  if (call->unwanted) process->kill();
  call->process = std::move(process);
}

void ShellToolExecutor::State::ended(const CallPtr& call, const ProcessExit& exit) {
  std::unique_ptr<Process> process;
  bool unwanted = false;
  {
    const std::lock_guard lock(mutex);
    open.erase(call->position);
    --running;
    running_memory_bytes -= call->spec.limits.memory_bytes;
    process = std::move(call->process);
    unwanted = call->unwanted;
  }
  call->done(classify_shell(call->send, exit, unwanted, std::move(call->out), std::move(call->err),
                            masker));
}

ShellToolExecutor::ShellToolExecutor(ProcessRunner& runner, Secrets secrets,
                                     std::vector<std::string> hidden,
                                     std::vector<ShellToolConfig> tools, ShellRoom room,
                                     FreeBytes free_bytes)
    : state_(std::make_shared<State>(runner, std::move(secrets), std::move(hidden), room,
                                     std::move(free_bytes))) {
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
  call->position = {request.task, send.step};
  call->send = send;
  call->spec = std::move(*spec);
  call->spec.limits.disk_bytes = state_->room.disk_bytes / 2;
  call->max_output_bytes = tool->second.max_output_bytes;
  call->done = std::move(done);
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->stopped) {
      state_->open[call->position] = call;
      state_->waiting.add(request.tenant, call);
      call = nullptr;
    }
  }
  if (call) return settle_not_sent(*call, kStopping);
  state_->run_waiting();
}

void ShellToolExecutor::abort(const TaskId& task, const StepId& step) {
  CallPtr waited;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->open.find({task, step});
    if (found == state_->open.end()) return;
    const CallPtr call = found->second;
    call->unwanted = true;
    if (call->process) call->process->kill();
    if (state_->waiting.remove([&](const CallPtr& other) { return other == call; })) {
      waited = call;
      state_->open.erase(found);
    }
  }
  if (waited) settle_not_sent(*waited, "it was waiting for room, and nobody wants it any more");
}

void ShellToolExecutor::stop_waiting() {
  std::vector<CallPtr> waited;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
    while (!state_->waiting.empty()) {
      waited.push_back(state_->waiting.take());
      state_->open.erase(waited.back()->position);
    }
  }
  for (const CallPtr& call : waited) settle_not_sent(*call, kStopping);
}

}  // namespace perdure
