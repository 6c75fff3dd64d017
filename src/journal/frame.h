#pragma once
// A frame: the records that one commit adds to one task, as they stand in the store. Chain:
//   chain = SHA-256(previous chain, task, first_seq, count, epoch, base time, record part)
// The record part holds hashes of payloads, not their bytes: erasing a payload leaves the chain
// whole. Nobody reads records but through the chain: a flipped bit is found before it is acted on.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/id.h"
#include "journal/record.h"

namespace perdure {

struct Frame {
  Pos pos = 0;
  TaskId task;
  Seq first_seq = 0;
  uint32_t count = 0;
  Epoch epoch = 0;
  Sha256 previous;  // the chain of the task's frame before, as stored; zero for the first
  Sha256 chain;
  std::string body;  // record part, then the bytes of inline payloads

  Seq last_seq() const { return first_seq + count - 1; }
};

// `records` are of one task, dense from first_seq. `previous` is the chain of the frame before,
// zero for the first.
Frame encode_frame(const TaskId& task, Epoch epoch, const Sha256& previous,
                   std::span<const Record> records);

// The records with their inline bytes, once the chain has shown that they are what was written
// behind `frame.previous`. Damage is Code::kCorrupt and names task and sequence number.
Result<std::vector<Record>> decode_frame(const Frame& frame);

// Whether the frame follows `previous` and its bytes are what was written.
Status verify_frame(const Frame& frame, const Sha256& previous);

// What the chain of a frame with this content is.
Sha256 chain_of(const Frame& frame);

// One record without its payload's bytes: for golden files and tests.
std::string encode_record(const Record& record);
Result<Record> decode_record(std::string_view bytes);

}  // namespace perdure
