#include "store/sample.h"

#include <fmt/core.h>

#include <future>

namespace perdure::store_test {

TaskId task_id(uint64_t number) {
  return TaskId::make(1'790'000'000'000 + static_cast<int64_t>(number), number, ~number);
}

Frame frame_after(const Frame* previous, const TaskId& task, Pos pos, Epoch epoch, uint32_t count,
                  const std::string& text) {
  std::vector<Record> records;
  const Seq first = previous ? previous->last_seq() + 1 : 1;
  for (uint32_t i = 0; i < count; ++i) {
    Noted noted;
    noted.note = Payload::of(fmt::format("{} {}", text, first + i));
    records.push_back({first + i, 1'790'000'000'000, noted});
  }
  Frame frame = encode_frame(task, epoch, previous ? previous->chain : Sha256{}, records);
  frame.pos = pos;
  return frame;
}

TaskRow task_row(const TaskId& id, const std::string& tenant, Seq head) {
  TaskRow row;
  row.id = id;
  row.tenant = tenant;
  row.principal = "key:test";
  row.waiting_for = "[]";
  row.planner = "agent";
  row.agent = "refunds";
  row.metadata = R"({"ticket":"T-1"})";
  row.created_ms = 1'790'000'000'000;
  row.updated_ms = row.created_ms;
  row.head = head;
  return row;
}

Batch creation(const TaskId& id, const std::string& tenant, Pos pos, Epoch epoch) {
  Batch batch;
  batch.frames.push_back(frame_after(nullptr, id, pos, epoch, 2, "created"));
  batch.tasks.push_back(task_row(id, tenant, 2));
  return batch;
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): most callers are done with it
CommitResult commit(Store& store, Batch batch) {
  std::promise<CommitResult> result;
  store.commit(batch, [&](CommitResult got) { result.set_value(std::move(got)); });
  return result.get_future().get();
}

}  // namespace perdure::store_test
