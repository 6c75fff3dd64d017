#pragma once
// Reads one task's durable records in order, from the first on or a later one, a page of frames at
// a time. One thread at a time.
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/record.h"
#include "ports/store.h"

namespace perdure::engine {

class JournalReader {
 public:
  JournalReader(StoreReader& store, const TaskId& task, Seq from_seq)
      : store_(store), task_(task), next_(from_seq) {}

  // Null at the end of what is durable now; later calls look again. The record may be moved from
  // and is good until the next call. A journal with a hole is kCorrupt. Errors name the task.
  Result<Record*> next();
  // What was read so far, in bytes of frames.
  size_t bytes() const { return bytes_; }
  // Of the frame that was read last.
  const Sha256& chain() const { return chain_; }

 private:
  Status read_page();
  std::string named(std::string_view what) const;

  StoreReader& store_;
  const TaskId task_;
  Seq next_;
  size_t bytes_ = 0;
  Sha256 chain_;
  std::vector<Frame> frames_;
  size_t frame_ = 0;
  std::vector<Record> records_;
  size_t record_ = 0;
};

}  // namespace perdure::engine
