#include "engine/history.h"

namespace perdure::engine {
namespace {

constexpr size_t kPageBytes = 1u << 20;

}  // namespace

Status read_history(StoreReader& store, const TaskId& id, Seq from_seq,
                    const std::function<Status(const Frame&, std::vector<Record>)>& visit) {
  for (Seq next = from_seq;;) {
    TRY_ASSIGN(const std::vector<Frame> page, store.frames(id, next, kPageBytes));
    for (const Frame& frame : page) {
      if (next == 1 && frame.first_seq != 1) {
        return fail(Code::kCorrupt, "the journal's beginning is missing");
      }
      TRY_ASSIGN(std::vector<Record> records, decode_frame(frame));
      TRY_STATUS(visit(frame, std::move(records)));
      next = frame.last_seq() + 1;
    }
    if (page.empty()) return {};
  }
}

Status fetch_part(StoreReader& store, const TaskId& id, Payload& payload) {
  if (payload.place != Payload::Place::kWithin || payload.bytes) return {};
  TRY_ASSIGN(const std::vector<Frame> frames, store.frames(id, payload.within_seq, 1));
  if (frames.empty() || frames.front().first_seq > payload.within_seq) {
    return fail(Code::kCorrupt, "a payload refers to a record that is missing");
  }
  TRY_ASSIGN(const std::vector<Record> records, decode_frame(frames.front()));
  const Payload* whole = payload_of(records[payload.within_seq - frames.front().first_seq].body);
  if (whole == nullptr || !whole->bytes) return {};
  if (payload.offset_bytes > whole->bytes->size()) {
    return fail(Code::kCorrupt, "a payload refers beyond the end of another");
  }
  std::string part = whole->bytes->substr(payload.offset_bytes, payload.size_bytes);
  if (sha256(part) != payload.hash)
    return fail(Code::kCorrupt, "a payload is not what it refers to");
  payload.bytes = std::make_shared<const std::string>(std::move(part));
  return {};
}

}  // namespace perdure::engine
