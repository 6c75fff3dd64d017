#include "engine/payload_reader.h"

#include "journal/frame.h"

namespace perdure::engine {
namespace {

// Parts of parts: the core makes no more than one level.
constexpr int kDepthMax = 4;

}  // namespace

Status PayloadReader::complete(Payload& payload) {
  Status read = fetch(payload, 0);
  if (!read && is_damage(read.error().code)) {
    read = fetch(payload, 0);
    if (!read && is_damage(read.error().code) && watch_ != nullptr) {
      return tl::unexpected(watch_->on_damage(task_, 0, read.error().message));
    }
  }
  return read;
}

Status PayloadReader::complete(Payload& payload, size_t max_bytes) {
  if (payload.size_bytes > max_bytes) {
    payload.bytes = nullptr;
    return {};
  }
  return complete(payload);
}

Status PayloadReader::fetch(Payload& payload, int depth) {
  if (payload.bytes) return {};
  if (payload.place == Payload::Place::kWithin) return fetch_within(payload, depth);
  if (payload.place != Payload::Place::kBlob) return {};
  Result<std::string> bytes = blobs_.get(tenant_, payload.hash);
  if (!bytes && bytes.error().code == Code::kNotFound) {
    return fail(Code::kCorrupt, "a payload is missing: " + bytes.error().message);
  }
  if (!bytes) return tl::unexpected(bytes.error());
  payload.bytes = std::make_shared<const std::string>(std::move(*bytes));
  return {};
}

Status PayloadReader::fetch_within(Payload& payload, int depth) {
  if (depth == kDepthMax) return fail(Code::kCorrupt, "a payload is a part of too many others");
  TRY_ASSIGN(const std::vector<Frame> frames, store_.frames(task_, payload.within_seq, 1));
  if (frames.empty() || frames.front().first_seq > payload.within_seq) {
    return fail(Code::kCorrupt, "a payload refers to a record that is missing");
  }
  TRY_ASSIGN(std::vector<Record> records, decode_frame(frames.front()));
  Payload* whole = payload_of(records[payload.within_seq - frames.front().first_seq].body);
  if (whole == nullptr || !whole->exists()) {
    return fail(Code::kCorrupt, "a payload refers to a record without one");
  }
  TRY_STATUS(fetch(*whole, depth + 1));
  if (!whole->bytes) return {};
  if (payload.offset_bytes > whole->bytes->size()) {
    return fail(Code::kCorrupt, "a payload refers beyond the end of another");
  }
  std::string part = whole->bytes->substr(payload.offset_bytes, payload.size_bytes);
  if (sha256(part) != payload.hash) {
    return fail(Code::kCorrupt, "a payload is not what it refers to");
  }
  payload.bytes = std::make_shared<const std::string>(std::move(part));
  return {};
}

}  // namespace perdure::engine
