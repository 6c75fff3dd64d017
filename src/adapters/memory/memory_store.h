#pragma once
// A store for tests and simulation: the rules of ports/store.h over values in memory. Nothing
// outlives the process; a snapshot stands for the disk.
#include <mutex>
#include <string>

#include "adapters/memory/rows.h"
#include "ports/store.h"

namespace perdure {

// Thread-safe. `commit` calls `done` before it returns.
class MemoryStore : public Store {
 public:
  // A new store. `secret` has 32 bytes.
  explicit MemoryStore(std::string secret);
  // Opens what another one held: the incarnation rises, as at every open.
  explicit MemoryStore(StoreRows rows);

  StoreRows snapshot() const;
  std::string dump() const;

  void commit(const Batch& batch, std::function<void(CommitResult)> done) override;
  Result<bool> contains(const Frame& frame) override;
  Epoch epoch() const override { return epoch_; }
  Pos last_pos() const override { return opened_at_; }
  std::string secret() const override { return rows_.secret; }

  Result<std::optional<TaskRow>> task(const TaskId& id) override;
  Result<std::vector<TaskRow>> tasks(const TaskQuery& query) override;
  Result<TaskRows> rows_of(const TaskId& id) override;
  // Nothing is damaged here.
  Result<ScrubPage> scrub(const std::string&, size_t) override { return ScrubPage(); }
  Result<std::vector<Frame>> frames(const TaskId& id, Seq from_seq, size_t max_bytes) override;
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

 private:
  mutable std::mutex mutex_;
  StoreRows rows_;
  Epoch epoch_ = 0;
  Pos opened_at_ = 0;
};

}  // namespace perdure
