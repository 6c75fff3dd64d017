#include "journal/payload.h"

namespace perdure {

Payload Payload::of(std::string bytes) {
  Payload payload;
  payload.place = Place::kInline;
  payload.hash = sha256(bytes);
  payload.size_bytes = bytes.size();
  payload.bytes = std::make_shared<const std::string>(std::move(bytes));
  return payload;
}

Payload Payload::blob(Sha256 hash, uint64_t size_bytes) {
  Payload payload;
  payload.place = Place::kBlob;
  payload.hash = hash;
  payload.size_bytes = size_bytes;
  return payload;
}

}  // namespace perdure
