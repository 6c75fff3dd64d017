#include "engine/journal_reader.h"

#include <fmt/core.h>

namespace perdure::engine {
namespace {

constexpr size_t kPageBytes = 256u << 10;

}  // namespace

std::string JournalReader::named(std::string_view what) const {
  return fmt::format("{}: {}", task_.to_string(), what);
}

Result<Record*> JournalReader::next() {
  while (record_ == records_.size()) {
    auto more = read_more();
    if (!more && is_damage(more.error().code)) {
      frames_.clear();
      frame_ = 0;
      more = read_more();
      if (!more && is_damage(more.error().code) && watch_ != nullptr) {
        return tl::unexpected(watch_->on_damage(task_, next_, more.error().message));
      }
    }
    if (!more) return tl::unexpected(std::move(more).error());
    if (!*more) return nullptr;
  }
  ++next_;
  return &records_[record_++];
}

// False at the end. After an error the same place can be read again.
Result<bool> JournalReader::read_more() {
  if (frame_ == frames_.size()) TRY_STATUS(read_page());
  if (frames_.empty()) return false;
  TRY_STATUS(read_frame(frames_[frame_]));
  ++frame_;
  return true;
}

Status JournalReader::read_page() {
  auto page = store_.frames(task_, next_, kPageBytes);
  if (!page) return fail(page.error().code, named(page.error().message));
  frames_ = std::move(*page);
  frame_ = 0;
  return {};
}

// The records of this frame from `next_` on.
Status JournalReader::read_frame(const Frame& frame) {
  if (frame.first_seq > next_ || frame.last_seq() < next_) {
    return fail(Code::kCorrupt, named(next_ == 1 ? "the journal's beginning is missing"
                                                 : "a part of the journal is missing"));
  }
  if (chain_ && frame.previous != *chain_) {
    return fail(Code::kCorrupt, named(fmt::format("the frame at record {} does not follow the "
                                                  "one before",
                                                  frame.first_seq)));
  }
  TRY_ASSIGN(records_, decode_frame(frame));
  record_ = next_ - frame.first_seq;
  bytes_ += frame.body.size();
  chain_ = frame.chain;
  return {};
}

}  // namespace perdure::engine
