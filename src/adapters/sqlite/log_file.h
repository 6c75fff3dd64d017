#pragma once
// SQLite's write-ahead log: grown once, reused for ever, emptied between commits.
#include <cstdint>
#include <string>

#include "adapters/sqlite/database.h"

namespace perdure {

// A file that grows costs a second flush with every commit. Appends written zeros (a hole would be
// allocated later, at the same cost) until the log has `size_bytes`; recovery ignores them. Only
// after the tables exist: SQLite deletes a log that stands beside an empty database.
Status grow_log(const std::string& database_path, uint64_t size_bytes);

// Makes durable what a process wrote that was killed before it could: a commit that is written next
// must not be on disk before it (log_check.h).
Status sync_log(const std::string& database_path);

// Counts the pages of the log and moves them into the database between commits.
class Checkpointer {
 public:
  // `database` is the one that writes, and outlives this.
  Checkpointer(Database& database, int64_t threshold_pages);
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // After each commit. Does nothing below the threshold. A reader in the middle of a query leaves
  // part of the log for a later call.
  Status after_commit();

  int64_t pages() const { return pages_; }
  uint64_t checkpoints() const { return checkpoints_; }

 private:
  Database& database_;
  int64_t threshold_pages_;
  int pages_ = 0;  // set by SQLite in every commit
  int64_t next_at_;
  uint64_t checkpoints_ = 0;
};

// Closes the last connection of a database and leaves its log empty: the next start has nothing to
// read there, nor to doubt. What cannot be moved out of the log stays in it.
void close_with_empty_log(Database database);

}  // namespace perdure
