#include "engine/journal_reader.h"

#include <fmt/core.h>

namespace perdure::engine {
namespace {

constexpr size_t kPageBytes = 256u << 10;

}  // namespace

Status JournalReader::read_page() {
  auto page = store_.frames(task_, next_, kPageBytes);
  if (!page) return fail(page.error().code, named(page.error().message));
  frames_ = std::move(*page);
  frame_ = 0;
  return {};
}

std::string JournalReader::named(std::string_view what) const {
  return fmt::format("{}: {}", task_.to_string(), what);
}

Result<Record*> JournalReader::next() {
  for (;;) {
    while (record_ < records_.size()) {
      Record& record = records_[record_++];
      if (record.seq < next_) continue;
      if (record.seq != next_) {
        return fail(Code::kCorrupt, named(next_ == 1 ? "the journal's beginning is missing"
                                                     : "a part of the journal is missing"));
      }
      ++next_;
      return &record;
    }
    if (frame_ == frames_.size()) TRY_STATUS(read_page());
    if (frames_.empty()) return nullptr;
    const Frame& frame = frames_[frame_++];
    bytes_ += frame.body.size();
    chain_ = frame.chain;
    record_ = 0;
    TRY_ASSIGN(records_, decode_frame(frame));
  }
}

}  // namespace perdure::engine
