#include "tool/mcp_executor.h"

#include <fmt/core.h>

#include "tool/mcp_state.h"

namespace perdure {

McpExecutor::State::State(McpServerConfig config, McpOutside outside)
    : config_(std::move(config)),
      outside_(std::move(outside)),
      masker_(outside_.secrets.masker()),
      tools_(config_) {}

// Whoever drains does it all, also what comes meanwhile: the order holds, and no call of ours
// stands on top of another.
void McpExecutor::State::drain(Lock& lock) {
  if (draining_) return;
  draining_ = true;
  while (!outbox_.empty()) {
    const std::function<void()> next = std::move(outbox_.front());
    outbox_.pop_front();
    lock.unlock();
    next();
    lock.lock();
  }
  draining_ = false;
}

uint64_t McpExecutor::State::after(int64_t delay_ms, std::function<void(State&)> work) {
  return outside_.timers.after(delay_ms, [weak = weak_from_this(), work = std::move(work)] {
    const auto self = weak.lock();
    if (!self) return;
    Lock lock(self->mutex_);
    if (self->phase_ == Phase::kClosed) return;
    work(*self);
    self->react();
    self->drain(lock);
  });
}

ToolServerEntry McpExecutor::State::entry() const {
  const std::lock_guard lock(mutex_);
  ToolServerEntry entry;
  entry.name = config_.name;
  entry.kind = "mcp";
  entry.connected = phase_ == Phase::kUp;
  if (!entry.connected && failures_ > 0) entry.why = why_down_;
  entry.version = version_;
  entry.offered_sha256 = tools_.offered_sha256();
  entry.not_accepted = tools_.not_accepted().size();
  return entry;
}

std::vector<ToolEntry> McpExecutor::State::tools() const {
  const std::lock_guard lock(mutex_);
  return tools_.entries(phase_ == Phase::kUp ? "" : why_down_);
}

std::optional<ToolRuling> McpExecutor::State::ruling(const std::string& tool) const {
  const std::lock_guard lock(mutex_);
  return tools_.ruling(tool);
}

Result<std::vector<std::string>> McpExecutor::State::accept(const std::string& seen) {
  const std::lock_guard one_at_a_time(accepting_);
  std::vector<mcp::ListedTool> tools;
  std::vector<std::string> names;
  {
    const std::lock_guard lock(mutex_);
    if (tools_.offered() == nullptr || list_is_old_) {
      return fail(Code::kUnavailable,
                  fmt::format("it is not known what '{}' offers now{}", config_.name,
                              phase_ == Phase::kUp ? "; try again" : ": " + why_down_));
    }
    if (!seen.empty() && seen != tools_.offered_sha256()) {
      return fail(Code::kConflict,
                  fmt::format("'{}' offers something else by now: look again", config_.name));
    }
    tools = *tools_.offered();
    names = tools_.not_accepted();
  }
  TRY_STATUS(outside_.pins.save(config_.name, McpTools::pins_of(tools)));
  Lock lock(mutex_);
  tools_.accept(tools);
  react();
  drain(lock);
  return names;
}

McpExecutor::McpExecutor(std::shared_ptr<State> state) : state_(std::move(state)) {}

McpExecutor::~McpExecutor() = default;

Result<std::unique_ptr<McpExecutor>> McpExecutor::make(McpServerConfig config, McpOutside outside) {
  TRY_STATUS(check(config));
  auto state = std::make_shared<State>(std::move(config), std::move(outside));
  TRY_STATUS(state->load());
  return std::unique_ptr<McpExecutor>(new McpExecutor(std::move(state)));
}

void McpExecutor::open() {
  state_->open();
}
Status McpExecutor::wait_until_known() {
  return state_->wait_until_known();
}
void McpExecutor::close() {
  state_->close();
}
void McpExecutor::start(CallRequest request, Done done) {
  state_->start(std::move(request), std::move(done));
}
void McpExecutor::abort(const TaskId& task, const StepId& step) {
  state_->abort(task, step);
}
void McpExecutor::answer(const TaskId& task, const StepId& step, Seq interrupt_seq,
                         Decision decision, const Payload& given) {
  state_->answer_question(task, step, interrupt_seq, decision, given);
}
ToolServerEntry McpExecutor::entry() const {
  return state_->entry();
}
std::vector<ToolEntry> McpExecutor::tools() const {
  return state_->tools();
}
std::optional<ToolRuling> McpExecutor::ruling(const std::string& tool) const {
  return state_->ruling(tool);
}
Result<std::vector<std::string>> McpExecutor::accept(const std::string& seen) {
  return state_->accept(seen);
}

}  // namespace perdure
