#include "engine/engine.h"

#include <algorithm>

#include "engine/impl.h"

namespace perdure::engine {
namespace {

// Tasks brought back in a round that has other work: a busy server gets to its old tasks too.
constexpr size_t kRecoverBesideWork = 8;
constexpr int kPortions = 8;
constexpr int64_t kLongestWaitUs = 1'000'000;

tl::unexpected<Error> refusal_of_full() {
  return fail(Code::kUnavailable, "too much work is waiting; try again later");
}

}  // namespace

// A round of inputs, in portions: what one task brings is done while its state is near. It ends
// when a commit has: nobody who waits for that waits for the rest of the round.
bool Engine::Impl::take_some() {
  bool worked = false;
  for (int i = 0; i < kPortions && !failed && (take_inputs() || !plans.empty()); ++i) {
    worked = true;
    plan_inside();
    take_answers();
    if (mailbox.has_commit()) break;
  }
  return worked;
}

bool Engine::Impl::pump() {
  if (failed) return false;
  bool worked = false;
  if (auto result = mailbox.take_commit()) {
    finish_commit(std::move(*result));
    worked = true;
  }
  worked |= fire_timers();
  // Steps inside the process may go on for ever: their records may not wait for their end.
  while (take_some()) {
    worked = true;
    // Nor may those who wait for the commit under way wait for it.
    if (commit_if_due() || mailbox.has_commit()) break;
  }
  if (!failed) worked |= recover_some(worked ? kRecoverBesideWork : options.recover_page);
  plan_inside();
  worked |= commit_if_due();
  measure_gate();
  return worked;
}

void Engine::Impl::measure_gate() {
  metrics.held = open.outputs.size() + (under_way ? under_way->outputs.size() : 0);
  metrics.undurable_since_us = under_way ? under_way->since_us : (open.empty() ? 0 : open.since_us);
}

bool Engine::Impl::is_full() {
  return failed || mailbox.size() >= options.mailbox_max;
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
  if (impl_->is_full()) return task.reply(refusal_of_full());
  impl_->mailbox.put(std::move(task));
}

void Engine::command(TaskId task, Command command, Reply reply, const std::string& tenant) {
  impl_->mailbox.put(TaskCommand{task, std::move(command), std::move(reply), tenant});
}

void Engine::keep(std::vector<KeptRow> rows, Reply reply) {
  if (impl_->is_full()) return reply(refusal_of_full());
  impl_->mailbox.put(KeepRows{std::move(rows), std::move(reply)});
}

Error Engine::on_damage(const TaskId& task, Seq record, const std::string& what) {
  if (const auto known = impl_->quarantine.find(task)) return error_of(*known);
  impl_->mailbox.put(DamageFound{task, record, what});
  Damage found;
  found.task = task;
  found.record = record;
  found.what = what;
  return error_of(found);
}

void Engine::on_damaged_row(DamagedRow row) {
  impl_->mailbox.put(RowDamaged{std::move(row)});
}

void Engine::end_damaged(EndDamaged end) {
  impl_->mailbox.put(std::move(end));
}

const Quarantine& Engine::quarantine() const {
  return impl_->quarantine;
}

Status Engine::load_damage() {
  TRY_STATUS(impl_->quarantine.load(impl_->world.store));
  impl_->lift_the_whole();
  impl_->metrics.quarantined = impl_->quarantine.standing();
  return {};
}

void Engine::drain() {
  impl_->draining = true;
  impl_->mailbox.wake();
}

bool Engine::is_drained() const {
  return impl_->draining && impl_->metrics.calls_under_way == 0 && !impl_->under_way &&
         impl_->open.empty() && impl_->loading.empty();
}

bool Engine::pump() {
  return impl_->pump();
}

const core::TaskState* Engine::state_of(const TaskId& task) const {
  const auto found = impl_->live.find(task);
  return found == impl_->live.end() ? nullptr : &found->second->task.state;
}

int64_t Engine::next_wake_us() const {
  const int64_t now_us = impl_->now_us();
  int64_t wake_us = now_us + kLongestWaitUs;
  if (impl_->failed) return wake_us;
  if (impl_->may_recover()) wake_us = std::min(wake_us, impl_->recover_after_us);
  if (impl_->may_fire()) {
    const int64_t now_ms = impl_->now_ms();
    const int64_t next_ms = std::clamp(impl_->timers.next_ms(), now_ms, now_ms + kLongestWaitUs);
    wake_us =
        std::min(wake_us, std::max(now_us + (next_ms - now_ms) * 1'000, impl_->fire_after_us));
  }
  if (!impl_->open.empty() && !impl_->under_way) {
    wake_us = std::min(wake_us, impl_->open.since_us + impl_->options.commit_delay_max_us);
  }
  return std::max(wake_us, now_us);
}

void Engine::halt() {
  impl_->halted = true;
  while (impl_->under_way && !impl_->failed) {
    if (auto result = impl_->mailbox.take_commit()) {
      impl_->finish_commit(std::move(*result));
    } else {
      impl_->mailbox.wait(kLongestWaitUs);
    }
  }
}

}  // namespace perdure::engine
