#pragma once
// Everything a store holds, as plain values: what a snapshot copies and a test compares.
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ports/store.h"

namespace perdure {

struct StoreRows {
  using IdempotencyKey = std::tuple<std::string, std::string, std::string>;
  using KeptKey = std::tuple<std::string, std::string, std::string>;

  std::string secret;
  uint64_t incarnation = 0;
  Pos last_pos = 0;
  std::map<TaskId, std::vector<Frame>> frames;  // of one task, by first_seq
  std::map<TaskId, TaskRow> tasks;
  std::map<IdempotencyKey, IdempotencyRow> idempotency;
  std::map<std::pair<TaskId, TimerId>, int64_t> timers;  // due_ms
  std::map<InterruptId, InterruptRow> interrupts;        // open ones
  std::map<KeptKey, std::string> kept;                   // value, by (kind, tenant, name)

  // As the port says.
  std::vector<Frame> frames_after(Pos after, size_t max_bytes) const;
  StoreCounts counts(int64_t now_ms) const;
  TaskRows rows_of(const TaskId& id) const;

  // The tasks that keep `batch` from being committed, in its order, each once.
  std::vector<TaskId> refused(const Batch& batch) const;
  // Nothing in `batch` may be refused.
  void apply(Batch batch);
  std::vector<KeptRow> kept_of(const std::string& kind, const std::optional<KeptRow>& after,
                               size_t limit) const;

 private:
  void replace(TaskRow row);
};

// One line a row, in a fixed order: two stores hold the same if and only if their texts are equal.
// The secret and the incarnation are left out: they differ between stores that were given the same.
// So are the keys of idempotency rows, of which a store may keep a hash only.
std::string dump(const StoreRows& rows);

}  // namespace perdure
