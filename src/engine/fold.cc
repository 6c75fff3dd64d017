#include "engine/fold.h"

#include <fmt/core.h>

#include "core/evolve.h"
#include "ports/row_digest.h"

namespace perdure::engine {
namespace {

constexpr size_t kPageBytes = 256u << 10;

Status broken(const TaskId& id, std::string_view what) {
  return fail(Code::kCorrupt, fmt::format("journal of {}: {}", id.to_string(), what));
}

Status check_payload(const core::TaskState& state, const Record& record, Blobs& blobs) {
  const Payload* payload = payload_of(record.body);
  if (payload == nullptr || payload->place != Payload::Place::kBlob) return {};
  const auto bytes = blobs.get(state.tenant, payload->hash);
  if (bytes) return {};
  return fail(bytes.error().code, fmt::format("record {}: {}", record.seq, bytes.error().message));
}

Status add(Fold& fold, Frame& frame, Blobs* blobs) {
  core::TaskState& state = fold.task.state;
  if (frame.first_seq != state.head + 1) {
    return broken(state.id, fmt::format("record {} is missing", state.head + 1));
  }
  TRY_STATUS(verify_frame(frame, fold.newest.chain));
  TRY_ASSIGN(const std::vector<Record> records, decode_frame(frame));
  for (const Record& record : records) {
    if (const Status evolved = core::evolve(state, record); !evolved) {
      return broken(state.id, evolved.error().message);
    }
    if (blobs != nullptr) TRY_STATUS(check_payload(state, record, *blobs));
  }
  frame.body.clear();
  fold.newest = std::move(frame);
  return {};
}

// The end is known from the head of an open task, and from the record that ends an ended one.
Status check_end(ClosedStore& store, Fold& fold, const JournalPlace& place) {
  const core::TaskState& state = fold.task.state;
  if (state.ended) {
    fold.has_end = !place.has_head;
    return {};
  }
  if (place.has_head) {
    const bool seq = place.head == state.head;
    const bool chain = place.chain == short_chain(fold.newest.chain);
    fold.has_end = seq && chain;
    if (seq || chain) return {};
    return broken(state.id, fmt::format("it ends at record {}, and its newest one was {}",
                                        state.head, place.head));
  }
  fold.has_end = false;
  TRY_ASSIGN(const TaskRows rows, store.reader().rows_of(state.id));
  if (!rows.task || rows.task->damaged) {
    return broken(state.id, "neither its end nor the row of the task can be read");
  }
  if (rows.task->ended_seq == 0 && rows.task->head <= state.head) return {};
  return broken(state.id, fmt::format("it ends at record {}, and the row of the task knows of "
                                      "record {}",
                                      state.head, std::max(rows.task->ended_seq, rows.task->head)));
}

}  // namespace

Result<Fold> fold_whole(ClosedStore& store, const TaskId& id, Blobs* blobs) {
  Fold fold;
  fold.task.state.id = id;
  TRY_ASSIGN(const JournalPlace place, store.place_of(id));
  uint64_t frames = 0;
  for (;;) {
    const Seq next = fold.task.state.head + 1;
    TRY_ASSIGN(std::vector<Frame> page, store.reader().frames_as_they_are(id, next, kPageBytes));
    if (page.empty()) break;
    for (Frame& frame : page) TRY_STATUS(add(fold, frame, blobs));
    frames += page.size();
  }
  if (frames == 0) return tl::unexpected(broken(id, "there is none").error());
  if (frames != place.frames) {
    return tl::unexpected(
        broken(id, fmt::format("of its {} frames only {} can be read", place.frames, frames))
            .error());
  }
  TRY_STATUS(check_end(store, fold, place));
  return fold;
}

}  // namespace perdure::engine
