#include "api/journal_reader.h"

namespace perdure::api {
namespace {

constexpr size_t kPageBytes = 256u << 10;

}  // namespace

Status JournalReader::read_page() {
  frame_ = 0;
  TRY_ASSIGN(frames_, store_.frames(task_, next_, kPageBytes));
  if (next_ == 1 && !frames_.empty() && frames_.front().first_seq != 1) {
    return fail(Code::kCorrupt, task_.to_string() + ": the journal's beginning is missing");
  }
  return {};
}

Result<Record*> JournalReader::next() {
  for (;;) {
    while (record_ < records_.size()) {
      Record& record = records_[record_++];
      if (record.seq < next_) continue;
      next_ = record.seq + 1;
      return &record;
    }
    if (frame_ == frames_.size()) TRY_STATUS(read_page());
    if (frames_.empty()) return nullptr;
    bytes_ += frames_[frame_].body.size();
    record_ = 0;
    TRY_ASSIGN(records_, decode_frame(frames_[frame_++]));
  }
}

}  // namespace perdure::api
