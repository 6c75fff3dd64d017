#include "engine/live.h"

#include <fmt/core.h>

#include "base/hooks.h"
#include "core/evolve.h"
#include "engine/journal_reader.h"
#include "engine/payload_reader.h"
#include "engine/rows.h"
#include "journal/key.h"

namespace perdure::engine {
namespace {

Status named(const TaskId& id, Status status) {
  if (status) return status;
  return fail(status.error().code, id.to_string() + ": " + status.error().message);
}

Status fold_journal(StoreReader& store, Live& live, Seq& reached) {
  core::TaskState& state = live.task.state;
  JournalReader journal(store, state.id, 1);
  for (;;) {
    reached = journal.next_seq();
    TRY_ASSIGN(Record * record, journal.next());
    if (record == nullptr) break;
    const Seq seen = state.turn.upto_seq;
    TRY_STATUS(named(state.id, core::evolve(state, *record)));
    if (state.turn.upto_seq != seen) live.recent.forget_upto(state.turn.upto_seq);
    live.recent.add(std::move(*record));
  }
  live.chain = journal.chain();
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

}  // namespace

Result<std::unique_ptr<Live>> load(const LoadFrom& from, const TaskId& id, Seq& reached) {
  auto live = std::make_unique<Live>();
  core::TaskState& state = live->task.state;
  state.id = id;
  TRY_STATUS(fold_journal(from.store, *live, reached));
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

}  // namespace perdure::engine
