#pragma once
// Snapshots of a task's state: when one fits a journal, and how the next one is made of the last.
// What grows with a task here runs apart from the engine's thread.
#include <cstdint>

#include "base/error.h"
#include "core/state.h"
#include "engine/journal_reader.h"
#include "journal/record.h"
#include "ports/snapshots.h"
#include "ports/store.h"

namespace perdure::engine {

// What a piece of a journal costs whoever folds it, as bytes.
uint64_t weight_of(uint64_t frame_bytes, uint64_t records);

// Of a snapshot that was found. An error: of another format, or not a state of this task.
Result<core::TaskState> state_in(const TaskSnapshot& snapshot);

// Whether the journal has, where it was read last, what the snapshot was made of.
bool fits(const JournalReader& journal, const TaskSnapshot& snapshot);

// Of a record behind those that are `known` from a snapshot.
Status evolve_behind(core::TaskState& state, const Record& record, Seq known);

// Reads the last snapshot and the journal behind it, and writes the next one: of all that is
// durable. Its size; 0: the task is over, and needs none.
Result<uint64_t> write_state_snapshot(StoreReader& store, Snapshots& snapshots, const TaskId& task);

// Removes those of tasks that are over, which a process left that ended with them.
void sweep_snapshots(StoreReader& store, Snapshots& snapshots);

}  // namespace perdure::engine
