#include "engine/live.h"

#include "core/evolve.h"
#include "engine/journal_reader.h"
#include "engine/payload_reader.h"

namespace perdure::engine {
namespace {

Status named(const TaskId& id, Status status) {
  if (status) return status;
  return fail(status.error().code, id.to_string() + ": " + status.error().message);
}

Status fold_journal(StoreReader& store, Live& live) {
  core::TaskState& state = live.task.state;
  JournalReader journal(store, state.id, 1);
  for (;;) {
    TRY_ASSIGN(Record * record, journal.next());
    if (record == nullptr) break;
    const Seq seen = state.turn.upto_seq;
    TRY_STATUS(named(state.id, core::evolve(state, *record)));
    if (state.turn.upto_seq != seen) live.recent.forget_upto(state.turn.upto_seq);
    live.recent.add(std::move(*record));
  }
  live.chain = journal.chain();
  return {};
}

// What planners and executors will read has its bytes, wherever they stand.
Status complete_payloads(StoreReader& store, Blobs& blobs, Live& live) {
  core::TaskState& state = live.task.state;
  if (state.ended) return {};
  PayloadReader payloads(store, blobs, state.tenant, state.id);
  TRY_STATUS(payloads.complete(state.input));
  TRY_STATUS(payloads.complete(state.turn.state));
  for (auto& [id, step] : state.open) TRY_STATUS(payloads.complete(step.args));
  for (Record& record : live.recent) {
    Payload* payload = payload_of(record.body);
    if (payload != nullptr) TRY_STATUS(payloads.complete(*payload));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Live>> load(StoreReader& store, Blobs& blobs, const TaskId& id) {
  auto live = std::make_unique<Live>();
  live->task.state.id = id;
  TRY_STATUS(fold_journal(store, *live));
  TRY_STATUS(named(id, complete_payloads(store, blobs, *live)));
  if (live->task.state.head == 0) return std::unique_ptr<Live>();
  live->durable_seq = live->handed_seq = live->task.state.head;
  return live;
}

}  // namespace perdure::engine
