#pragma once
// Examines the store in a data directory, from the bytes of its pages to the chain of every task.
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "ports/blobs.h"
#include "ports/closed_store.h"

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

struct ExamineOptions {
  std::set<TaskId> given_up;  // damaged, and ended as such: nothing of them is a problem
  std::function<void(uint64_t frames)> progress = [](uint64_t) {};  // after each frame
};

// Only while no process has the store open; kConflict names the one that does. Changes neither the
// database nor its log. With `blobs`, every blob that a record names is read and its hash verified.
// An error means that there was nothing to examine; damage is in the report.
Result<StoreReport> examine_store(const std::string& dir, Blobs* blobs,
                                  const ExamineOptions& options = {});

// The same store for who folds its journals. Holds the directory; changes nothing. kUnsupported:
// its format is an older one, which had no digests.
Result<std::unique_ptr<ClosedStore>> inspect_store(const std::string& dir);

// Ends the log where it is damaged, so that the store opens again without the commits behind that,
// and takes the newest commit that is there for the newest that was. Returns how many were durable
// and are gone, at least; kNotFound if nothing says that any is.
Result<uint64_t> forget_lost_commits(const std::string& dir);

}  // namespace perdure
