#pragma once
// A payload is bytes that the core carries but never reads: a model's answer, a tool's arguments, a
// result. Records hold the hash and the size, so that the bytes can be erased and the chain still
// verifies.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/id.h"

namespace perdure {

// Larger payloads stand in the blob store.
inline constexpr size_t kInlinePayloadMaxBytes = 256 * 1024;

struct Payload {
  enum class Place : uint8_t {
    kNone,    // there is no payload
    kInline,  // the bytes stand in the frame of the record
    kBlob,    // in the blob store, by hash
    kWithin,  // a part of the payload of an earlier record of this task
    kErased,  // the bytes were erased; hash and size remain
  };

  Place place = Place::kNone;
  Sha256 hash;
  uint64_t size_bytes = 0;
  Seq within_seq = 0;  // kWithin: that record, and where the part begins
  uint64_t offset_bytes = 0;
  // In memory only, shared, never copied: null when the bytes have not been read.
  std::shared_ptr<const std::string> bytes;

  bool exists() const { return place != Place::kNone; }
  // Empty when there are no bytes at hand.
  std::string_view view() const { return bytes ? std::string_view(*bytes) : std::string_view(); }

  static Payload of(std::string bytes);
  static Payload blob(Sha256 hash, uint64_t size_bytes);

  // Equal contents, wherever they stand.
  bool same_as(const Payload& other) const {
    return hash == other.hash && size_bytes == other.size_bytes;
  }
};

}  // namespace perdure
