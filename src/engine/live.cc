#include "engine/live.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.h"
#include "base/log.h"
#include "core/evolve.h"
#include "engine/journal_reader.h"
#include "engine/payload_reader.h"
#include "engine/rows.h"
#include "engine/snapshots.h"
#include "journal/key.h"

namespace perdure::engine {
namespace {

Status named(const TaskId& id, Status status) {
  if (status) return status;
  return fail(status.error().code, id.to_string() + ": " + status.error().message);
}

// On from the state as it stands, which is empty or that of a snapshot. What its planner has not
// been told yet is read again, and not folded.
Status fold_journal(StoreReader& store, const TaskSnapshot* snapshot, Live& live, Seq& reached) {
  core::TaskState& state = live.task.state;
  const Seq known = state.head;
  JournalReader journal(store, state.id,
                        std::clamp<Seq>(state.turn.upto_seq + 1, 1, std::max<Seq>(known, 1)));
  size_t bytes_known = 0;
  for (;;) {
    reached = journal.next_seq();
    TRY_ASSIGN(Record * record, journal.next());
    if (record == nullptr) break;
    if (record->seq == known) {
      if (!fits(journal, *snapshot)) return fail(Code::kConflict, "it is of another journal");
      bytes_known = journal.bytes();
    }
    if (record->seq > known) {
      const Seq seen = state.turn.upto_seq;
      TRY_STATUS(named(state.id, evolve_behind(state, *record, known)));
      if (state.turn.upto_seq != seen) live.recent.forget_upto(state.turn.upto_seq);
    }
    if (record->seq > state.turn.upto_seq) live.recent.add(std::move(*record));
  }
  if (journal.next_seq() <= known) return fail(Code::kConflict, "it is ahead of the journal");
  live.chain = journal.chain();
  live.tail_weight = weight_of(journal.bytes() - bytes_known, state.head - known);
  reached = 0;
  return {};
}

// A resend under another key would be a second call to its receiver.
Status check_keys(const core::TaskState& state, std::string_view secret) {
  for (const auto& [id, step] : state.open) {
    if (step.group == 0 || step.key_check.empty()) continue;
    const CallKey key = call_key(secret, state.id, id, step.group, step.args.hash);
    if (key.check == step.key_check) continue;
    return fail(Code::kCorrupt,
                fmt::format("step '{}' was sent under a key that the secret of this store does not "
                            "give",
                            id));
  }
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

Result<std::unique_ptr<Live>> load_on_from(const LoadFrom& from, const TaskId& id,
                                           const TaskSnapshot* snapshot, Seq& reached) {
  auto live = std::make_unique<Live>();
  core::TaskState& state = live->task.state;
  state.id = id;
  if (snapshot != nullptr) {
    TRY_ASSIGN(state, state_in(*snapshot));
    live->snapshot_bytes =
        snapshot->body.size() + from.snapshots->size_bytes(id, TaskSnapshot::Kind::kPlanner);
  }
  TRY_STATUS(fold_journal(from.store, snapshot, *live, reached));
  if (state.head == 0) return std::unique_ptr<Live>();
  TRY_ASSIGN(const TaskRows rows, from.store.rows_of(id));
  if (!hooks::planted(hooks::Bug::kVerificationSkipped)) {
    TRY_STATUS(named(id, check_rows(state, rows)));
    TRY_STATUS(named(id, check_keys(state, from.secret)));
  }
  TRY_STATUS(named(id, complete_payloads(from.store, from.blobs, *live)));
  live->durable_seq = live->handed_seq = state.head;
  return live;
}

}  // namespace

Result<std::unique_ptr<Live>> load(const LoadFrom& from, const TaskId& id, Seq& reached) {
  const auto snapshot = from.snapshots != nullptr
                            ? from.snapshots->find(id, TaskSnapshot::Kind::kState)
                            : std::nullopt;
  if (snapshot) {
    auto live = load_on_from(from, id, &*snapshot, reached);
    if (live) return live;
    log(LogLevel::kInfo, "snapshot.unfit",
        {{"task", id.to_string()}, {"why", live.error().message}});
  }
  // Only the journal itself can say that a task is damaged.
  auto whole = load_on_from(from, id, nullptr, reached);
  if (snapshot && whole) from.snapshots->drop(id);
  return whole;
}

}  // namespace perdure::engine
