#include "engine/recent.h"

#include <algorithm>

namespace perdure::engine {

void Recent::forget_upto(Seq seq) {
  while (forgotten_ < records_.size() && records_[forgotten_].seq <= seq) ++forgotten_;
  if (2 * forgotten_ < records_.size()) return;
  records_.erase(records_.begin(), records_.begin() + static_cast<ptrdiff_t>(forgotten_));
  forgotten_ = 0;
}

std::span<const Record> Recent::between(Seq first, Seq last) const {
  if (forgotten_ == records_.size() || first > last) return {};
  const Seq begin = records_[forgotten_].seq;
  const Seq end = records_.back().seq + 1;
  const Seq from = std::clamp(first, begin, end);
  const Seq to = std::clamp(last + 1, begin, end);
  return std::span(records_).subspan(forgotten_ + (from - begin), to - from);
}

}  // namespace perdure::engine
