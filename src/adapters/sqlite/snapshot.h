#pragma once
#include <utility>

#include "adapters/sqlite/database.h"

namespace perdure {

// All reads within its life see one state of the store.
class Snapshot {
 public:
  static Result<Snapshot> begin(Statement& begin, Statement& end) {
    TRY_STATUS(begin.run());
    return Snapshot(end);
  }
  Snapshot(Snapshot&& other) noexcept : end_(std::exchange(other.end_, nullptr)) {}
  Snapshot& operator=(Snapshot&&) = delete;
  ~Snapshot() {
    if (end_ != nullptr) (void)end_->run();
  }

 private:
  explicit Snapshot(Statement& end) : end_(&end) {}
  Statement* end_;
};

}  // namespace perdure
