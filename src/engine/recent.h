#pragma once
// The newest records of a task, in order and without gaps. Forgets from the front at a cost that
// does not grow with what stays.
#include <cstddef>
#include <span>
#include <vector>

#include "journal/record.h"

namespace perdure::engine {

class Recent {
 public:
  void add(Record record) { records_.push_back(std::move(record)); }
  void forget_upto(Seq seq);
  // Those from `first` to `last` that are here; until the next call that changes this.
  std::span<const Record> between(Seq first, Seq last) const;

  auto begin() { return records_.begin() + static_cast<ptrdiff_t>(forgotten_); }
  auto end() { return records_.end(); }

 private:
  std::vector<Record> records_;
  size_t forgotten_ = 0;  // at the front; they go when they are the greater part
};

}  // namespace perdure::engine
