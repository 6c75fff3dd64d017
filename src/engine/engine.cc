#include "engine/engine.h"

#include <algorithm>

#include "engine/impl.h"

namespace perdure::engine {

bool Engine::Impl::pump() {
  if (failed) return false;
  bool worked = false;
  if (auto result = mailbox.take_commit()) {
    finish_commit(std::move(*result));
    worked = true;
  }
  worked |= fire_timers();
  // Steps inside the process may go on for ever: their records may not wait for their end.
  while (!failed && take_inputs()) {
    worked = true;
    plan_inside();
    if (commit_if_due()) break;
  }
  if (!worked && !failed) worked = recover_some();
  plan_inside();
  return commit_if_due() || worked;
}

Engine::Engine(World world, Options options)
    : impl_(std::make_unique<Impl>(std::move(world), options)) {
  impl_->next_pos = impl_->world.store.last_pos();
}

Engine::~Engine() = default;

void Engine::observe(Observer* observer) {
  impl_->observer = observer;
}
const Metrics& Engine::metrics() const {
  return impl_->metrics;
}
Mailbox& Engine::mailbox() {
  return impl_->mailbox;
}

void Engine::submit(NewTask task) {
  if (impl_->failed || impl_->mailbox.size() >= impl_->options.mailbox_max) {
    return task.reply(fail(Code::kUnavailable, "too much work is waiting; try again later"));
  }
  impl_->mailbox.put(std::move(task));
}

void Engine::command(TaskId task, Command command, Reply reply) {
  impl_->mailbox.put(TaskCommand{task, std::move(command), std::move(reply)});
}

void Engine::drain() {
  impl_->draining = true;
  impl_->mailbox.wake();
}

bool Engine::is_drained() const {
  return impl_->draining && impl_->metrics.calls_under_way == 0 && !impl_->under_way &&
         impl_->open.empty();
}

bool Engine::pump() {
  return impl_->pump();
}

int64_t Engine::next_wake_us() const {
  const int64_t now_us = impl_->now_us();
  if (impl_->recovering) return now_us;
  const int64_t timers_ms = std::max<int64_t>(0, impl_->timers.next_ms() - impl_->now_ms());
  int64_t wake_us = now_us + std::min<int64_t>(timers_ms, 1'000) * 1'000;
  if (!impl_->open.empty() && !impl_->under_way) {
    wake_us = std::min(wake_us, impl_->open.since_us + impl_->options.commit_delay_max_us);
  }
  return wake_us;
}

}  // namespace perdure::engine
