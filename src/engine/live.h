#pragma once
// A task that is in memory: because something of it is under way, or was a moment ago.
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/task.h"
#include "engine/recent.h"
#include "ports/blobs.h"
#include "ports/snapshots.h"
#include "ports/store.h"

namespace perdure::engine {

struct Live {
  core::Task task;
  Sha256 chain;  // of the newest frame, durable or under way
  Seq durable_seq = 0;
  Seq handed_seq = 0;  // what lies behind it was applied, and not handed to a commit yet
  // What a planner may still have to be told: everything behind its last turn, and all that is not
  // durable.
  Recent recent;
  std::string row_shape;         // of the task row as last written
  std::optional<Plan> put_off;   // until more of the task is durable
  bool planner_outside = false;  // whoever was asked for the open turn, if it is open
  uint32_t commits_under_way = 0;
  uint32_t calls_under_way = 0;
  // Of the journal, since the newest snapshot or, without one, since its beginning: what the next
  // load would fold (engine/snapshots.h).
  uint64_t tail_weight = 0;
  uint64_t snapshot_bytes = 0;  // of the snapshots that there are

  bool is_idle() const {
    return handed_seq == task.state.head && commits_under_way == 0 && calls_under_way == 0;
  }
};

// What a load has come to.
struct Read {
  Result<std::unique_ptr<Live>> live;  // null: there is no such task
  Seq reached = 0;                     // of an error: the first record that was not read
};

// What a task is loaded from.
struct LoadFrom {
  StoreReader& store;
  Blobs& blobs;
  std::string_view secret;  // of the store
  Snapshots* snapshots = nullptr;
};

// Reads the task's journal and folds it, from its newest snapshot on if that one fits. What is
// still needed has its bytes; the rows say what the journal says; what was sent can be sent again
// under the key that it had. Null if there is no such task; an error if something is not what was
// written. `reached` becomes the first record that was not read; 0 once all were.
Result<std::unique_ptr<Live>> load(const LoadFrom& from, const TaskId& id, Seq& reached);

}  // namespace perdure::engine
