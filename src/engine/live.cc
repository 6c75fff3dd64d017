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
      live.recent.forget_upto(state.turn.upto_seq);
    }
    live.recent.add(std::move(record));
  }
  live.chain = frame.chain;
  return {};
}

// What planners and executors will read has its bytes, wherever they stand.
Status complete(StoreReader& store, Blobs& blobs, const core::TaskState& state, Payload& payload) {
  if (payload.bytes) return {};
  if (payload.place == Payload::Place::kBlob) {
    TRY_ASSIGN(std::string bytes, blobs.get(state.tenant, payload.hash));
    payload.bytes = std::make_shared<const std::string>(std::move(bytes));
  }
  return fetch_part(store, state.id, payload);
}

Status complete_payloads(StoreReader& store, Blobs& blobs, Live& live) {
  core::TaskState& state = live.task.state;
  if (state.ended) return {};
  TRY_STATUS(complete(store, blobs, state, state.input));
  TRY_STATUS(complete(store, blobs, state, state.turn.state));
  for (auto& [id, step] : state.open) TRY_STATUS(complete(store, blobs, state, step.args));
  for (Record& record : live.recent) {
    Payload* payload = payload_of(record.body);
    if (payload != nullptr) TRY_STATUS(complete(store, blobs, state, *payload));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Live>> load(StoreReader& store, Blobs& blobs, const TaskId& id) {
  auto live = std::make_unique<Live>();
  live->task.state.id = id;
  Status read = read_history(store, id, 1, [&](const Frame& frame, std::vector<Record> records) {
    return fold(*live, frame, std::move(records));
  });
  if (read) read = complete_payloads(store, blobs, *live);
  if (!read) return fail(read.error().code, id.to_string() + ": " + read.error().message);
  if (live->task.state.head == 0) return std::unique_ptr<Live>();
  live->durable_seq = live->handed_seq = live->task.state.head;
  return live;
}

}  // namespace perdure::engine
