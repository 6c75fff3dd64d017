#include "journal/frame.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/hooks.h"
#include "base/reach.h"
#include "journal/binary.h"

namespace perdure {
namespace {

constexpr uint8_t kFrameVersion = 1;

struct Decoder {
  uint32_t type;
  uint32_t version;  // the newest that it reads
  void (*decode)(BinaryReader&, RecordBody&);
};

template <size_t... I>
constexpr auto make_decoders(std::index_sequence<I...>) {
  return std::array<Decoder, sizeof...(I)>{
      Decoder{std::variant_alternative_t<I, RecordBody>::kType,
              version_of<std::variant_alternative_t<I, RecordBody>>(),
              [](BinaryReader& in, RecordBody& body) { body.emplace<I>().fields(in); }}...};
}

constexpr auto kDecoders =
    make_decoders(std::make_index_sequence<std::variant_size_v<RecordBody>>());

void put_record(std::string& out, const Record& record, int64_t base_ms) {
  std::visit(
      [&](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        put_varint(out, Body::kType);
        put_varint(out, version_of<Body>());
        BinaryWriter writer(out);
        writer.put(record.at_ms - base_ms);
        writer.put(body);
      },
      record.body);
}

Status get_record(BinaryReader& in, Record& record, int64_t base_ms) {
  const uint64_t type = in.varint();
  const uint64_t version = in.varint();
  if (!in.ok()) return fail(Code::kCorrupt, "the record is cut short");
  const auto* decoder = std::find_if(kDecoders.begin(), kDecoders.end(),
                                     [&](const Decoder& known) { return known.type == type; });
  if (decoder == kDecoders.end()) {
    return fail(Code::kUnsupported, fmt::format("record type {} is unknown to this binary", type));
  }
  if (version == 0 || version > decoder->version) {
    return fail(Code::kUnsupported,
                fmt::format("record type {} has version {}; this binary reads up to version {}",
                            type, version, decoder->version));
  }
  int64_t at_ms = 0;
  in.get(at_ms);
  if (base_ms < 0 || base_ms > kTimeMaxMs || at_ms < -base_ms || at_ms > kTimeMaxMs - base_ms) {
    return fail(Code::kCorrupt, "the time of a record is impossible");
  }
  record.at_ms = base_ms + at_ms;
  in.read_version(static_cast<uint32_t>(version));
  decoder->decode(in, record.body);
  if (!in.ok()) return fail(Code::kCorrupt, fmt::format("a record of type {} is damaged", type));
  return {};
}

// Frame version, base time, length of the record part; then the record part; then payload bytes.
std::string_view record_part(std::string_view body, int64_t* base_ms) {
  BinaryReader in(body);
  const std::string_view version = in.take(1);
  if (version.empty() || version[0] != kFrameVersion) return {};
  in.get(*base_ms);
  return in.take(in.varint());
}

Error corrupt(const Frame& frame, std::string_view what) {
  return {Code::kCorrupt, fmt::format("journal of {}, frame at sequence number {}: {}",
                                      frame.task.to_string(), frame.first_seq, what)};
}

Status attach_payloads(const Frame& frame, std::string_view area, std::vector<Record>& records) {
  BinaryReader in(area);
  for (Record& record : records) {
    Payload* payload = payload_of(record.body);
    if (payload == nullptr || payload->place != Payload::Place::kInline) continue;
    const std::string_view bytes = in.take(payload->size_bytes);
    if (!in.ok()) return tl::unexpected(corrupt(frame, "a payload is cut short"));
    if (sha256(bytes) != payload->hash) {
      return tl::unexpected(corrupt(frame, "a payload is not what was written"));
    }
    payload->bytes = std::make_shared<const std::string>(bytes);
  }
  if (!in.at_end()) return tl::unexpected(corrupt(frame, "bytes behind the last payload"));
  return {};
}

}  // namespace

Sha256 chain_of(const Frame& frame) {
  thread_local Hasher hasher;
  thread_local std::string header;
  header.clear();
  header += frame.previous.view();
  header += frame.task.view();
  put_varint(header, frame.first_seq);
  put_varint(header, frame.count);
  put_varint(header, frame.epoch);
  int64_t base_ms = 0;
  const std::string_view records = record_part(frame.body, &base_ms);
  put_varint(header, static_cast<uint64_t>(base_ms));
  return hasher.add(header).add(records).finish();
}

Frame encode_frame(const TaskId& task, Epoch epoch, const Sha256& previous,
                   std::span<const Record> records) {
  PERDURE_ASSERT(!records.empty(), "a frame has records");
  Frame frame;
  frame.task = task;
  frame.first_seq = records.front().seq;
  frame.count = static_cast<uint32_t>(records.size());
  frame.epoch = epoch;
  frame.previous = previous;
  const int64_t base_ms = records.front().at_ms;

  thread_local std::string part;
  part.clear();
  size_t payload_bytes = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    PERDURE_ASSERT(records[i].seq == frame.first_seq + i, "records of a frame are dense");
    put_record(part, records[i], base_ms);
    const Payload* payload = payload_of(records[i].body);
    if (payload && payload->place == Payload::Place::kInline) payload_bytes += payload->size_bytes;
  }
  frame.body.reserve(part.size() + payload_bytes + 16);
  frame.body += static_cast<char>(kFrameVersion);
  BinaryWriter(frame.body).put(base_ms);
  put_varint(frame.body, part.size());
  frame.body += part;
  for (const Record& record : records) {
    const Payload* payload = payload_of(record.body);
    if (!payload || payload->place != Payload::Place::kInline) continue;
    PERDURE_ASSERT(payload->view().size() == payload->size_bytes,
                   "an inline payload has its bytes");
    frame.body += payload->view();
  }
  frame.chain = chain_of(frame);
  return frame;
}

Result<std::vector<Record>> decode_frame(const Frame& frame) {
  if (chain_of(frame) != frame.chain && !hooks::planted(hooks::Bug::kVerificationSkipped)) {
    return tl::unexpected(corrupt(frame, "the hash chain is broken"));
  }
  int64_t base_ms = 0;
  const std::string_view part = record_part(frame.body, &base_ms);
  if (part.empty()) return tl::unexpected(corrupt(frame, "the header is damaged"));
  // The record part is a view into the body: what follows it is the payload area.
  const std::string_view area =
      std::string_view(frame.body).substr(part.data() + part.size() - frame.body.data());
  if (frame.count == 0 || frame.count > part.size()) {
    return tl::unexpected(corrupt(frame, "the number of records is impossible"));
  }
  std::vector<Record> records(frame.count);
  BinaryReader in(part);
  for (uint32_t i = 0; i < frame.count; ++i) {
    records[i].seq = frame.first_seq + i;
    if (auto read = get_record(in, records[i], base_ms); !read) {
      Error error = corrupt(frame, read.error().message);
      error.code = read.error().code;
      return tl::unexpected(std::move(error));
    }
  }
  if (!in.at_end()) return tl::unexpected(corrupt(frame, "bytes behind the last record"));
  TRY_STATUS(attach_payloads(frame, area, records));
  return records;
}

Status verify_frame(const Frame& frame, const Sha256& previous) {
  if (frame.previous != previous) {
    return tl::unexpected(corrupt(frame, "it does not follow the frame before"));
  }
  TRY_STATUS(decode_frame(frame));
  return {};
}

std::string encode_record(const Record& record) {
  std::string out;
  put_record(out, record, 0);
  return out;
}

Result<Record> decode_record(std::string_view bytes) {
  BinaryReader in(bytes);
  Record record;
  TRY_STATUS(get_record(in, record, 0));
  if (!in.at_end()) return fail(Code::kCorrupt, "bytes behind the record");
  return record;
}

}  // namespace perdure
