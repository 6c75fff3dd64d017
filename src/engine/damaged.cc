// Tasks that are not what was written: found, kept as such, and ended by a person.
#include "base/log.h"
#include "engine/impl.h"
#include "engine/salvage.h"

namespace perdure::engine {

// The ends of damage are a person's word and stay.
void Engine::Impl::lift_the_whole() {
  for (const Damage& damage : quarantine.all_standing()) {
    Seq reached = 0;
    // All of the journal: what a snapshot stands for may be what was damaged.
    const auto loaded = engine::load({world.store, world.blobs, secret}, damage.task, reached);
    if (!loaded || !*loaded) continue;
    log(LogLevel::kWarn, "task.whole_again", {{"task", damage.task.to_string()}});
    KeptRow row = row_of(damage);
    row.value.clear();
    if (open.empty()) open.since_us = now_us();
    open.apart.kept.push_back(std::move(row));
    quarantine.lift(damage.task);
  }
}

// A row of this task is damaged: its load finds that, unless the row's own idea of its task is what
// was damaged.
void Engine::Impl::examine(const TaskId& id, const std::string& what) {
  if (live.contains(id)) return take(DamageFound{id, 0, what});
  log(LogLevel::kError, "row.damaged", {{"task", id.to_string()}, {"why", what}});
  if (quarantine.holds(id)) return;
  load(id);
  start_loads();
}

// A request that came under a key which is damaged now may come again: it is known by its content.
void Engine::Impl::take(RowDamaged&& input) {
  if (input.row.table == "idempotency") {
    log(LogLevel::kError, "row.damaged",
        {{"task", input.row.task.to_string()}, {"why", "an idempotency key is damaged"}});
    damaged_keys.insert(input.row.request_hash);
  } else {
    examine(input.row.task, "a row of the table `" + input.row.table + "` is not what was written");
  }
}

void Engine::Impl::take(DamageFound&& input) {
  if (quarantine.holds(input.task)) return;
  Damage damage;
  damage.task = input.task;
  damage.record = input.record;
  damage.what = std::move(input.what);
  damage.found_ms = now_ms();
  if (const auto known = live.find(input.task); known != live.end()) {
    damage.tenant = known->second->task.state.tenant;
  } else {
    damage.tenant = tenant_of(world.store, input.task);
  }
  log(LogLevel::kError, "task.quarantined",
      {{"task", damage.task.to_string()},
       {"record", std::to_string(damage.record)},
       {"why", damage.what}});
  if (open.empty()) open.since_us = now_us();
  open.apart.kept.push_back(row_of(damage));
  quarantine.add(std::move(damage));
  metrics.quarantined = quarantine.standing();
  evict(input.task);
  if (observer != nullptr) observer->on_quarantined(input.task);
}

// What comes of a damaged task that is still in memory changes nothing: a call that was under way
// is over, and its outcome is not recorded.
void Engine::Impl::refuse(TaskCommand&& input, const Damage& damage) {
  const auto known = live.find(input.task);
  const bool settles = std::holds_alternative<SettleStep>(input.command);
  if (settles && known != live.end() && known->second->calls_under_way > 0) {
    --known->second->calls_under_way;
    --metrics.calls_under_way;
  }
  if (input.reply)
    hold({{}, ReplyOutput{std::move(input.reply), tl::unexpected(error_of(damage))}});
  evict(input.task);
}

void Engine::Impl::take(EndDamaged&& input) {
  const TaskId task = input.damage.task;
  const auto known = quarantine.find(task);
  if (!known || known->is_ended()) {
    return input.reply(
        fail(Code::kConflict,
             "task " + task.to_string() + (known ? " was ended before" : " is not damaged")));
  }
  if (live.contains(task)) {
    return input.reply(fail(Code::kConflict, "a call of task " + task.to_string() +
                                                 " is still under way: try again when it is over"));
  }
  if (open.empty()) open.since_us = now_us();
  Batch& rows = open.apart;
  rows.rebuilt.push_back(std::move(input.row));
  rows.timers_cleared.insert(rows.timers_cleared.end(), input.timers.begin(), input.timers.end());
  rows.interrupts_closed.insert(rows.interrupts_closed.end(), input.interrupts.begin(),
                                input.interrupts.end());
  rows.kept.push_back(row_of(input.damage));
  // Seen as ended once it is durable.
  Reply reply = [this, damage = std::move(input.damage),
                 reply = std::move(input.reply)](Result<Submitted> done) mutable {
    if (done) {
      log(LogLevel::kWarn, "task.ended_damaged", {{"task", damage.task.to_string()}});
      drop_snapshots(damage.task);
      quarantine.end(std::move(damage));
      metrics.quarantined = quarantine.standing();
    }
    reply(std::move(done));
  };
  hold({{}, ReplyOutput{std::move(reply), Submitted{task, false, 0}}});
}

}  // namespace perdure::engine
