#pragma once
#include <functional>
#include <mutex>
#include <string>

#include "base/error.h"
#include "ports/clock.h"
#include "ports/space.h"

namespace perdure {

// The file system of a directory, asked at most twenty times a second. The reserve is a threshold
// and no file: docs/adr/010.
class DiskSpace : public Space {
 public:
  using Measure = std::function<Result<uint64_t>(const std::string& dir)>;  // free bytes

  DiskSpace(std::string dir, uint64_t reserve_bytes, Clock& clock, Measure measure = free_bytes_of);

  Room look() override;

  // What users that are not root may still take.
  static Result<uint64_t> free_bytes_of(const std::string& dir);

 private:
  void measure();

  const std::string dir_;
  Clock& clock_;
  const Measure measure_;
  std::mutex mutex_;  // guards all below
  Room room_;
  int64_t next_us_ = 0;  // when to ask again
};

}  // namespace perdure
