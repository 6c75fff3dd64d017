#pragma once
// Reads one task's durable records in order, from the first on or a later one, a page of frames at
// a time. The chain is verified from the first frame that is read: what was damaged is an error,
// and never a record; it was read twice then, and `watch` was told. One thread at a time.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/damage.h"
#include "journal/record.h"
#include "ports/store.h"

namespace perdure::engine {

class JournalReader {
 public:
  JournalReader(StoreReader& store, const TaskId& task, Seq from_seq, DamageWatch* watch = nullptr)
      : store_(store), task_(task), next_(from_seq), watch_(watch) {
    if (from_seq == 1) chain_ = Sha256{};
  }

  // Null at the end of what is durable now; later calls look again. The record may be moved from
  // and is good until the next call. A journal that is damaged or has a hole is kCorrupt. Errors
  // name the task.
  Result<Record*> next();
  // What was read so far, in bytes of frames.
  size_t bytes() const { return bytes_; }
  // Of the frame that was read last; zero before the first.
  Sha256 chain() const { return chain_.value_or(Sha256{}); }
  // The record that comes next, or that could not be read.
  Seq next_seq() const { return next_; }
  // The last record of the frame that was read last.
  Seq frame_end() const { return next_ - 1 + (records_.size() - record_); }
  // Whether a frame with this chain ends with the record that was read last.
  bool is_at(const Sha256& chain) const { return record_ == records_.size() && chain_ == chain; }

 private:
  Result<bool> read_more();
  Status read_page();
  Status read_frame(const Frame& frame);
  std::string named(std::string_view what) const;

  StoreReader& store_;
  const TaskId task_;
  Seq next_;
  DamageWatch* watch_;
  size_t bytes_ = 0;
  std::optional<Sha256> chain_;  // unknown until a frame was read, where this began later
  std::vector<Frame> frames_;
  size_t frame_ = 0;
  std::vector<Record> records_;
  size_t record_ = 0;
};

}  // namespace perdure::engine
