#pragma once
#include <string>
#include <string_view>

#include "journal/payload.h"

namespace perdure::test {

// What stands in the payload of an earlier record.
inline Payload part_of_payload(Seq seq, uint64_t offset_bytes, std::string_view bytes) {
  Payload part = Payload::of(std::string(bytes));
  part.place = Payload::Place::kWithin;
  part.within_seq = seq;
  part.offset_bytes = offset_bytes;
  return part;
}

}  // namespace perdure::test
