#pragma once
// Examines the store in a data directory, from the bytes of its pages to the chain of every task.
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "ports/blobs.h"

namespace perdure {

struct StoreReport {
  uint64_t tasks = 0;
  uint64_t frames = 0;
  uint64_t records = 0;
  uint64_t blobs = 0;
  std::vector<std::string> problems;  // each names what is damaged; the first kProblemsMax of them
  uint64_t problem_count = 0;

  static constexpr size_t kProblemsMax = 1000;
  bool healthy() const { return problem_count == 0; }
};

// Only while no process has the store open; kConflict names the one that does. Changes neither the
// database nor its log. With `blobs`, every blob that a record names is read and its hash verified.
// An error means that there was nothing to examine; damage is in the report.
Result<StoreReport> examine_store(const std::string& dir, Blobs* blobs);

// Ends the log where it is damaged, so that the store opens again without the commits behind that.
// Returns how many were durable, at least; kNotFound if the log is sound.
Result<uint64_t> forget_lost_commits(const std::string& dir);

}  // namespace perdure
