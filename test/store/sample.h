#pragma once
// Small valid rows for tests of stores.
#include <cstdint>
#include <string>
#include <vector>

#include "ports/store.h"

namespace perdure::store_test {

TaskId task_id(uint64_t number);  // rising with `number`

// A frame of `count` notes that follows `previous` (null: the task's first).
Frame frame_after(const Frame* previous, const TaskId& task, Pos pos, Epoch epoch, uint32_t count,
                  const std::string& text);

TaskRow task_row(const TaskId& id, const std::string& tenant, Seq head);

// The commit that creates a task.
Batch creation(const TaskId& id, const std::string& tenant, Pos pos, Epoch epoch);

CommitResult commit(Store& store, Batch batch);

}  // namespace perdure::store_test
