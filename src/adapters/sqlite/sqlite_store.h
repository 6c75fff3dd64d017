#pragma once
// The store of one server: an SQLite database in a data directory of its own. docs/adr/001 has the
// tables and the measurements behind the settings.
//
// One connection writes and checkpoints: on the caller's thread while batches are small, on the
// store's own when they are large. SQLite 3.40 can corrupt a
// database when two connections checkpoint at once (fixed in 3.51.3): here only one ever does, and
// the lock of the directory keeps other processes out.
#include <cstdint>
#include <memory>
#include <string>

#include "ports/store.h"

namespace perdure {

struct SqliteOptions {
  std::string dir;     // private to its user (0700); created if missing
  size_t readers = 6;  // connections for reads: who reads waits for nobody who reads long
  // For control runs only: commits are not durable.
  bool unsafe_no_sync = false;
  uint64_t log_bytes = 40u << 20;
  int64_t checkpoint_pages = 8000;
};

struct StoreStats {
  uint64_t commits = 0;  // durable ones
  uint64_t frames = 0;
  uint64_t refused = 0;  // batches
  uint64_t checkpoints = 0;
  uint64_t log_pages = 0;  // in use
};

// Reads are thread-safe, and wait for no commit. `commit` calls `done` before it returns, or on the
// store's thread; any failure is final (kFailed from then on), and says what and where. What is
// being committed when the store is destroyed is committed first.
class SqliteStore : public Store {
 public:
  // Creates the database, or raises its format, and begins a new incarnation.
  static Result<std::unique_ptr<SqliteStore>> open(SqliteOptions options);
  ~SqliteStore() override;

  void commit(const Batch& batch, std::function<void(CommitResult)> done) override;
  Result<bool> contains(const Frame& frame) override;
  Epoch epoch() const override;
  Pos last_pos() const override;
  std::string secret() const override;

  Result<std::optional<TaskRow>> task(const TaskId& id) override;
  Result<std::vector<TaskRow>> tasks(const TaskQuery& query) override;
  Result<TaskRows> rows_of(const TaskId& id) override;
  Result<std::vector<Frame>> frames(const TaskId& id, Seq from_seq, size_t max_bytes) override;
  Result<std::vector<Frame>> frames_as_they_are(const TaskId& id, Seq from_seq,
                                                size_t max_bytes) override;
  Result<ScrubPage> scrub(const std::string& cursor, size_t rows_max) override;
  Result<std::optional<IdempotencyRow>> idempotency(const std::string& tenant,
                                                    const std::string& route,
                                                    const std::string& key) override;
  Result<std::vector<InterruptRow>> interrupts(const InterruptQuery& query) override;
  Result<std::vector<TimerRow>> timers_due(int64_t until_ms, size_t limit) override;
  Result<std::vector<TaskId>> runnable(std::optional<TaskId> after, size_t limit) override;
  Result<std::vector<Frame>> frames_after(Pos after, size_t max_bytes) override;
  Result<StoreCounts> counts(int64_t now_ms) override;
  Result<std::vector<KeptRow>> kept(const std::string& kind, const std::optional<KeptRow>& after,
                                    size_t limit) override;

  StoreStats stats() const;

 private:
  struct Parts;
  explicit SqliteStore(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace perdure
