// Long journals get snapshots, written apart and from what is durable: the engine's thread only
// counts.
#include <algorithm>

#include "base/hooks.h"
#include "base/log.h"
#include "engine/impl.h"
#include "engine/snapshots.h"

namespace perdure::engine {

void Engine::Impl::note_growth(Live& task, const Frame& frame) {
  if (world.snapshots == nullptr) return;
  const auto& ended = task.task.state.ended;
  if (ended && ended->seq <= frame.last_seq()) {
    if (ended->seq >= frame.first_seq) drop_snapshots(frame.task);
    return;
  }
  task.tail_weight += weight_of(frame.body.size(), frame.count);
  if (task.tail_weight > std::max(options.snapshot_floor, task.snapshot_bytes / 2)) {
    begin_snapshot(task);
  }
}

// Amortised, all snapshots of a task cost a fixed multiple of its journal: each is paid for by what
// has come since the last one, and replaces that.
void Engine::Impl::begin_snapshot(Live& task) {
  const core::TaskState& state = task.task.state;
  const TaskId id = state.id;
  if (quarantine.holds(id) || snapshotting.contains(id) ||
      snapshotting.size() >= options.snapshots_max) {
    return;
  }
  snapshotting[id] = false;
  task.tail_weight = 0;  // after a failure it is tried again in its turn
  Planner* planner = world.planner(state.planner);
  if (planner != nullptr && !planner->in_process()) planner = nullptr;
  auto work = [this, id, planner, tenant = state.tenant, version = state.agent_version,
               upto_seq = state.turn.upto_seq] {
    SnapshotWritten written{id, 0};
    const auto state_bytes = write_state_snapshot(world.store, *world.snapshots, id);
    if (!state_bytes) {
      log(LogLevel::kInfo, "snapshot.failed",
          {{"task", id.to_string()}, {"why", state_bytes.error().message}});
    } else if (*state_bytes > 0) {
      written.size_bytes = *state_bytes;
      if (planner != nullptr) {
        written.size_bytes += planner->write_snapshot(id, tenant, version, upto_seq);
      }
    }
    mailbox.put(written);
  };
  if (world.apart) {
    world.apart(std::move(work));
  } else {
    work();
  }
}

void Engine::Impl::take(SnapshotWritten&& input) {
  const auto entry = snapshotting.extract(input.task);
  if (entry.mapped()) return drop_snapshots(input.task);
  const auto known = live.find(input.task);
  if (known == live.end() || input.size_bytes == 0) return;
  known->second->snapshot_bytes = input.size_bytes;
  ++metrics.snapshots;
}

// Of a task that is over. What is lost of this with the process is done after the next start.
void Engine::Impl::drop_snapshots(const TaskId& id) {
  if (world.snapshots == nullptr) return;
  if (const auto writing = snapshotting.find(id); writing != snapshotting.end()) {
    writing->second = true;
    return;
  }
  const auto known = live.find(id);
  if (known != live.end() && std::exchange(known->second->snapshot_bytes, 0) == 0) return;
  const auto work = [snapshots = world.snapshots, id] { snapshots->drop(id); };
  if (world.apart) {
    world.apart(work);
  } else {
    work();
  }
}

}  // namespace perdure::engine
