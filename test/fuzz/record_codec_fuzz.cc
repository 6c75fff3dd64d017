// Any bytes as a record or as a frame: what can be read is written back the same, and has a view as
// JSON.
#include <cstdint>

#include "base/assert.h"
#include "journal/frame.h"
#include "journal/record_json.h"

namespace perdure {
namespace {

void one_record(std::string_view bytes) {
  const auto record = decode_record(bytes);
  if (!record) {
    PERDURE_ASSERT(!record.error().message.empty(), "an error says something");
    return;
  }
  // Its type and its version stand first, a byte each. An old version is written as the newest.
  const std::string again = encode_record(*record);
  PERDURE_ASSERT(bytes[0] == again[0], "the type is kept");
  if (bytes[1] == again[1]) {
    PERDURE_ASSERT(again == bytes, "one record of one version has one form");
  } else {
    const auto newest = decode_record(again);
    PERDURE_ASSERT(newest && encode_record(*newest) == again,
                   "an old record can be kept as a new one");
  }
  PERDURE_ASSERT(!to_json(record_to_json(*record)).empty(), "a record can be shown");
  (void)record_to_normalised_json(*record);
}

void one_frame(std::string_view bytes) {
  Frame frame;
  frame.task = TaskId::make(1, 2, 3);
  frame.first_seq = 5;
  frame.count = static_cast<uint8_t>(bytes[0]);
  frame.epoch = 7;
  frame.body = bytes.substr(1);
  frame.chain = chain_of(frame);
  const auto records = decode_frame(frame);
  if (!records) return;
  PERDURE_ASSERT(records->size() == frame.count, "all records are there");
  const Frame again = encode_frame(frame.task, frame.epoch, Sha256{}, *records);
  frame.chain = again.chain;
  // The base time may be another than the first record's, so the bytes may differ; what they say
  // may not.
  const auto read_again = decode_frame(again);
  PERDURE_ASSERT(read_again && read_again->size() == records->size(), "it can be read again");
  for (size_t i = 0; i < records->size(); ++i) {
    PERDURE_ASSERT(encode_record((*records)[i]) == encode_record((*read_again)[i]),
                   "records are kept");
  }
  PERDURE_ASSERT(verify_frame(again, Sha256{}), "what was written verifies");
}

}  // namespace
}  // namespace perdure

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  perdure::one_record(bytes);
  if (size > 0) perdure::one_frame(bytes);
  return 0;
}
