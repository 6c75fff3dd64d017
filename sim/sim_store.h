#pragma once
// The store of one process: commits take time, and end in every way that the port allows. What is
// under way at a crash is on the disk as a whole, or not at all.
#include <functional>

#include "disk.h"
#include "ports/store.h"

namespace perdure::sim {

class World;

class SimStore : public Store {
 public:
  SimStore(World& world, Disk& disk);  // raises the incarnation

  // The process is gone: its commit is decided, nobody is told.
  void crash();
  bool is_committing() const { return batch_ != nullptr; }

  void commit(const Batch& batch, std::function<void(CommitResult)> done) override;
  Result<bool> contains(const Frame& frame) override;
  Epoch epoch() const override { return epoch_; }
  Pos last_pos() const override { return opened_at_; }
  std::string secret() const override;

  Result<std::optional<TaskRow>> task(const TaskId& id) override;
  Result<std::vector<TaskRow>> tasks(const TaskQuery& query) override;
  Result<TaskRows> rows_of(const TaskId& id) override;
  // Nobody walks over all rows here: what is damaged is met when its task is read.
  Result<ScrubPage> scrub(const std::string&, size_t) override { return ScrubPage(); }
  Result<std::vector<Frame>> frames(const TaskId& id, Seq from_seq, size_t max_bytes) override;
  Result<std::vector<Frame>> frames_as_they_are(const TaskId& id, Seq from_seq,
                                                size_t max_bytes) override;
  Result<std::optional<IdempotencyRow>> idempotency(const std::string& tenant,
                                                    const std::string& route,
                                                    const std::string& key) override;
  Result<std::vector<InterruptRow>> interrupts(const InterruptQuery& query) override;
  Result<std::vector<TimerRow>> timers_due(int64_t until_ms, size_t limit) override;
  Result<std::vector<TaskId>> runnable(std::optional<TaskId> after, size_t limit) override;
  Result<std::vector<Frame>> frames_after(Pos after, size_t max_bytes) override;
  Result<StoreCounts> counts(int64_t now_ms) override;
  // Read when a process starts, which then starts or does not: no fault is drawn.
  Result<std::vector<KeptRow>> kept(const std::string& kind, const std::optional<KeptRow>& after,
                                    size_t limit) override {
    return disk_.rows.kept_of(kind, after, limit);
  }

 private:
  CommitResult::Kind decide();
  void reach_disk();
  void finish(CommitResult::Kind kind);
  std::vector<TaskId> refused() const;
  void fence_one();
  bool read_fails();
  std::vector<Frame> read_frames(const TaskId& id, Seq from_seq, size_t max_bytes) const;
  bool ends_as_written(const TaskId& id, const Frame& last) const;
  TaskRow read(const TaskRow& written) const;
  TimerRow read(const TimerRow& written) const;
  InterruptRow read(const InterruptRow& written) const;

  World& world_;
  Disk& disk_;
  Epoch epoch_ = 0;
  Pos opened_at_ = 0;
  const Batch* batch_ = nullptr;
  bool on_disk_ = false;
  std::function<void(CommitResult)> done_;
};

}  // namespace perdure::sim
