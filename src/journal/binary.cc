#include "journal/binary.h"

namespace perdure {

void put_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void BinaryWriter::put_hash(const Sha256& hash) {
  const bool present = !hash.is_zero();
  put(present);
  if (present) out_ += hash.view();
}

void BinaryWriter::put_payload(const Payload& payload) {
  put_varint(out_, static_cast<uint64_t>(payload.place));
  if (!payload.exists()) return;
  out_ += payload.hash.view();
  put_varint(out_, payload.size_bytes);
  if (payload.place == Payload::Place::kWithin) {
    put_varint(out_, payload.within_seq);
    put_varint(out_, payload.offset_bytes);
  }
  if (bytes_ == InlineBytes::kBehind && payload.place == Payload::Place::kInline) {
    const bool at_hand = payload.bytes != nullptr && payload.bytes->size() == payload.size_bytes;
    put(at_hand);
    if (at_hand) out_ += *payload.bytes;
  }
}

uint64_t BinaryReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (in_.empty()) break;
    const auto byte = static_cast<uint8_t>(in_.front());
    in_.remove_prefix(1);
    // One number has one form: no bits past the 64th, no needless zero at the end.
    if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) break;
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  spoil();
  return 0;
}

std::string_view BinaryReader::take(uint64_t size_bytes) {
  if (size_bytes > in_.size()) {
    spoil();
    return {};
  }
  const std::string_view taken = in_.substr(0, size_bytes);
  in_.remove_prefix(size_bytes);
  return taken;
}

void BinaryReader::get_hash(Sha256& hash) {
  bool present = false;
  get(present);
  if (!present) return;
  const std::string_view bytes = take(hash.bytes.size());
  if (ok_) std::memcpy(hash.bytes.data(), bytes.data(), bytes.size());
  if (hash.is_zero()) spoil();  // a zero hash is written as absent
}

void BinaryReader::get_payload(Payload& payload) {
  const uint64_t place = varint();
  if (place > static_cast<uint64_t>(Payload::Place::kErased)) return spoil();
  payload.place = static_cast<Payload::Place>(place);
  if (!payload.exists()) return;
  const std::string_view bytes = take(payload.hash.bytes.size());
  if (!ok_) return;
  std::memcpy(payload.hash.bytes.data(), bytes.data(), bytes.size());
  payload.size_bytes = varint();
  if (payload.place == Payload::Place::kWithin) {
    payload.within_seq = varint();
    payload.offset_bytes = varint();
  }
  if (bytes_ == InlineBytes::kBehind && payload.place == Payload::Place::kInline) {
    bool at_hand = false;
    get(at_hand);
    if (at_hand) payload.bytes = std::make_shared<const std::string>(take(payload.size_bytes));
  }
}

}  // namespace perdure
