#pragma once
// Writes batches into the open database, one transaction each. After a failure every further call
// fails with the same message: what SQLite holds in memory can no longer be trusted to be on disk.
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/heads.h"
#include "adapters/sqlite/tenants.h"
#include "ports/store.h"

namespace perdure {

// One thread at a time.
class Writer {
 public:
  // `database` outlives the writer. `last_pos` is that of the newest frame.
  static Result<std::unique_ptr<Writer>> create(const Database& database, Pos last_pos);

  CommitResult commit(const Batch& batch);
  // Nothing may be written any more, e.g. since a checkpoint failed.
  void stop(Error error);
  bool is_stopped() const { return !failure_.empty(); }

 private:
  explicit Writer(Pos last_pos) : last_pos_(last_pos) {}
  Status prepare(const Database& database);

  Status write_all(const Batch& batch, CommitResult& result);
  // Reads only.
  Result<std::vector<TaskId>> refused(const Batch& batch);
  Result<bool> taken(const std::string& idempotency_hash);
  // Of a task that has a row.
  Result<std::optional<Head>> head(const TaskId& task);
  Result<std::optional<Head>> read_head(const TaskId& task);

  Status write_task(const TaskRow& row);
  Status rebuild_task(const TaskRow& row);
  Status end_task(const TaskId& task, int64_t key);
  Result<int64_t> insert_task(const TaskRow& row, int64_t tenant);
  Status write_frame(const Frame& frame);
  Status set_head(int64_t key, uint64_t seq, const Sha256& chain);
  Status write_idempotency(const IdempotencyRow& row, const std::string& hash);
  Status write_timers(const Batch& batch);
  Status write_interrupts(const Batch& batch);
  Status open_interrupt(const InterruptRow& row);
  Status close_interrupt(const TaskId& task, Seq seq);
  Status add_labels(const TaskRow& row, int64_t tenant);
  Status write_kept(const Batch& batch);

  static constexpr size_t kHeadsPerGeneration = 1 << 14;

  Heads heads_{kHeadsPerGeneration};  // durable ones
  // Of the batch that is being written: heads as they will be.
  std::unordered_map<TaskId, Head> next_heads_;
  std::vector<std::string> idempotency_hashes_;
  Pos last_pos_;
  std::string failure_;

  Tenants tenants_;
  Statement begin_, commit_, rollback_;
  Statement find_head_, insert_frame_, insert_task_, update_task_, rebuild_task_;
  Statement find_idempotency_, insert_idempotency_;
  Statement set_head_, drop_head_;
  Statement set_timer_, clear_timer_, keep_, drop_kept_;
  Statement open_interrupt_, close_interrupt_, name_assignee_, drop_assignee_, add_label_;
};

}  // namespace perdure
