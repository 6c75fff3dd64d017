#pragma once
// What the journal of a task says, in a store whose rows are not believed.
#include "core/task.h"
#include "ports/blobs.h"
#include "ports/closed_store.h"

namespace perdure::engine {

struct Fold {
  core::Task task;
  Frame newest;         // without its body
  bool has_end = true;  // false: only the journal says where it ends; its row for that is damaged
};

// kCorrupt unless every frame that there is follows the one before, up to the end that was written.
// Where the row that says the end is what is damaged, the newest frame is the end: if that row
// agrees with it in part, or if it is missing and the row of the task is whole and knows of nothing
// later. A journal that has lost its newest frames is never taken for a shorter one. With `blobs`,
// every payload that stands outside is whole too.
Result<Fold> fold_whole(ClosedStore& store, const TaskId& id, Blobs* blobs = nullptr);

}  // namespace perdure::engine
