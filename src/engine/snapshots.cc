#include "engine/snapshots.h"

#include <optional>
#include <utility>

#include "base/hooks.h"
#include "core/evolve.h"
#include "core/state_layout.h"

namespace perdure::engine {
namespace {

using hooks::Bug;
using hooks::planted;

constexpr uint64_t kRecordWeight = 256;  // so that many small ones count too

struct Folded {
  core::TaskState state;
  Sha256 chain;
};

// Null: it does not fit the journal.
Result<std::optional<Folded>> fold_on_from(StoreReader& store, const TaskId& task,
                                           const TaskSnapshot* snapshot) {
  Folded folded;
  folded.state.id = task;
  if (snapshot != nullptr) {
    auto state = state_in(*snapshot);
    if (!state) return std::nullopt;
    folded.state = std::move(*state);
  }
  const Seq known = folded.state.head;
  JournalReader journal(store, task, std::max<Seq>(known, 1));
  for (;;) {
    TRY_ASSIGN(const Record* record, journal.next());
    if (record == nullptr) break;
    if (record->seq == known && !fits(journal, *snapshot)) return std::nullopt;
    if (record->seq > known) TRY_STATUS(core::evolve(folded.state, *record));
  }
  if (journal.next_seq() <= known) return std::nullopt;
  folded.chain = journal.chain();
  return folded;
}

}  // namespace

uint64_t weight_of(uint64_t frame_bytes, uint64_t records) {
  return frame_bytes + records * kRecordWeight;
}

Result<core::TaskState> state_in(const TaskSnapshot& snapshot) {
  if (snapshot.format != core::kStateFormat) {
    return fail(Code::kUnsupported, "its format is another one");
  }
  auto state = core::decode_state(snapshot.body);
  if (!state || state->id != snapshot.task || state->head != snapshot.seq || snapshot.seq == 0) {
    return fail(Code::kInvalid, "it is not a state of this task");
  }
  return *std::move(state);
}

bool fits(const JournalReader& journal, const TaskSnapshot& snapshot) {
  return journal.is_at(snapshot.chain) || planted(Bug::kSnapshotBelieved);
}

Status evolve_behind(core::TaskState& state, const Record& record, Seq known) {
  if (planted(Bug::kSnapshotStale) && known > 0 && record.seq == known + 1) {
    state.head = record.seq;
    state.last_ms = record.at_ms;
    return {};
  }
  return core::evolve(state, record);
}

Result<uint64_t> write_state_snapshot(StoreReader& store, Snapshots& snapshots,
                                      const TaskId& task) {
  const auto last = snapshots.find(task, TaskSnapshot::Kind::kState);
  std::optional<Folded> folded;
  if (last) {
    TRY_ASSIGN(folded, fold_on_from(store, task, &*last));
  }
  if (!folded) {
    TRY_ASSIGN(folded, fold_on_from(store, task, nullptr));
  }
  if (folded->state.head == 0 || folded->state.ended) return uint64_t{0};
  TaskSnapshot next;
  next.task = task;
  next.seq = folded->state.head;
  next.chain = folded->chain;
  next.format = core::kStateFormat;
  next.body = core::encode(folded->state);
  TRY_STATUS(snapshots.put(next));
  return next.body.size();
}

void sweep_snapshots(StoreReader& store, Snapshots& snapshots) {
  for (const TaskId& task : snapshots.tasks()) {
    const auto row = store.task(task);
    if (!row) continue;  // not known now
    if (!*row || (*row)->ended_seq != 0 || is_terminal((*row)->status)) snapshots.drop(task);
  }
}

}  // namespace perdure::engine
