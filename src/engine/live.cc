#include "engine/live.h"

#include "core/evolve.h"
#include "engine/history.h"

namespace perdure::engine {
namespace {

Status fold(Live& live, const Frame& frame, std::vector<Record> records) {
  core::TaskState& state = live.task.state;
  for (Record& record : records) {
    const Seq seen = state.turn.upto_seq;
    TRY_STATUS(core::evolve(state, record));
    if (state.turn.upto_seq != seen) {
      std::erase_if(live.recent, [&](const Record& r) { return r.seq <= state.turn.upto_seq; });
    }
    live.recent.push_back(std::move(record));
  }
  live.chain = frame.chain;
  return {};
}

Status complete_parts(StoreReader& store, Live& live) {
  core::TaskState& state = live.task.state;
  for (auto& [id, step] : state.open) TRY_STATUS(fetch_part(store, state.id, step.args));
  for (Record& record : live.recent) {
    Payload* payload = payload_of(record.body);
    if (payload != nullptr) TRY_STATUS(fetch_part(store, state.id, *payload));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Live>> load(StoreReader& store, const TaskId& id) {
  auto live = std::make_unique<Live>();
  live->task.state.id = id;
  Status read = read_history(store, id, 1, [&](const Frame& frame, std::vector<Record> records) {
    return fold(*live, frame, std::move(records));
  });
  if (read) read = complete_parts(store, *live);
  if (!read) return fail(read.error().code, id.to_string() + ": " + read.error().message);
  if (live->task.state.head == 0) return std::unique_ptr<Live>();
  live->durable_seq = live->task.state.head;
  return live;
}

}  // namespace perdure::engine
