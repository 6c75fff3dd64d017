#include "adapters/memory/memory_store.h"

#include <algorithm>

#include "base/assert.h"
#include "ports/label.h"

namespace perdure {

namespace {

StoreRows empty_rows(std::string secret) {
  StoreRows rows;
  rows.secret = std::move(secret);
  return rows;
}

}  // namespace

MemoryStore::MemoryStore(std::string secret) : MemoryStore(empty_rows(std::move(secret))) {}

MemoryStore::MemoryStore(StoreRows rows) : rows_(std::move(rows)) {
  PERDURE_ASSERT(rows_.secret.size() == 32, "a secret has 32 bytes");
  epoch_ = ++rows_.incarnation << 32 | 1;
  opened_at_ = rows_.last_pos;
}

StoreRows MemoryStore::snapshot() const {
  const std::lock_guard lock(mutex_);
  return rows_;
}

std::string MemoryStore::dump() const {
  const std::lock_guard lock(mutex_);
  return perdure::dump(rows_);
}

void MemoryStore::commit(const Batch& batch, std::function<void(CommitResult)> done) {
  CommitResult result;
  {
    const std::lock_guard lock(mutex_);
    result.refused = rows_.refused(batch);
    if (result.refused.empty()) {
      rows_.apply(batch);
    } else {
      result.kind = CommitResult::Kind::kRefused;
    }
  }
  done(std::move(result));
}

Result<bool> MemoryStore::contains(const Frame& frame) {
  const std::lock_guard lock(mutex_);
  const auto known = rows_.frames.find(frame.task);
  if (known == rows_.frames.end()) return false;
  return std::any_of(known->second.begin(), known->second.end(), [&](const Frame& stored) {
    return stored.first_seq == frame.first_seq && stored.epoch == frame.epoch &&
           stored.chain == frame.chain;
  });
}

Result<std::optional<TaskRow>> MemoryStore::task(const TaskId& id) {
  const std::lock_guard lock(mutex_);
  const auto row = rows_.tasks.find(id);
  if (row == rows_.tasks.end()) return std::nullopt;
  return row->second;
}

Result<std::vector<TaskRow>> MemoryStore::tasks(const TaskQuery& query) {
  const std::lock_guard lock(mutex_);
  std::vector<TaskRow> found;
  auto end = query.before ? rows_.tasks.lower_bound(*query.before) : rows_.tasks.end();
  while (end != rows_.tasks.begin() && found.size() < query.limit) {
    const TaskRow& row = (--end)->second;
    const bool wanted = row.tenant == query.tenant &&
                        (!query.status || row.status == *query.status) &&
                        (query.session.empty() || row.session == query.session) &&
                        (query.label.empty() || labels_of(row.metadata).contains(query.label));
    if (wanted) found.push_back(row);
  }
  return found;
}

Result<TaskRows> MemoryStore::rows_of(const TaskId& id) {
  const std::lock_guard lock(mutex_);
  return rows_.rows_of(id);
}

Result<std::vector<Frame>> MemoryStore::frames(const TaskId& id, Seq from_seq, size_t max_bytes) {
  const std::lock_guard lock(mutex_);
  std::vector<Frame> found;
  const auto known = rows_.frames.find(id);
  if (known == rows_.frames.end()) return found;
  const auto& all = known->second;
  auto frame = std::partition_point(all.begin(), all.end(), [&](const Frame& candidate) {
    return candidate.last_seq() < from_seq;
  });
  size_t bytes = 0;
  for (; frame != all.end(); ++frame) {
    bytes += frame->body.size();
    if (!found.empty() && bytes > max_bytes) break;
    found.push_back(*frame);
  }
  return found;
}

Result<std::optional<IdempotencyRow>> MemoryStore::idempotency(const std::string& tenant,
                                                               const std::string& route,
                                                               const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto row = rows_.idempotency.find({tenant, route, key});
  if (row == rows_.idempotency.end()) return std::nullopt;
  return row->second;
}

Result<std::vector<InterruptRow>> MemoryStore::interrupts(const InterruptQuery& query) {
  const std::lock_guard lock(mutex_);
  std::vector<InterruptRow> found;
  auto row = query.after ? rows_.interrupts.upper_bound(*query.after) : rows_.interrupts.begin();
  for (; row != rows_.interrupts.end() && found.size() < query.limit; ++row) {
    if (wants(query, row->second)) found.push_back(row->second);
  }
  return found;
}

Result<std::vector<TimerRow>> MemoryStore::timers_due(int64_t until_ms, size_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<TimerRow> found;
  for (const auto& [key, due_ms] : rows_.timers) {
    if (due_ms <= until_ms) found.push_back({key.first, key.second, due_ms});
  }
  std::sort(found.begin(), found.end(), [](const TimerRow& a, const TimerRow& b) {
    return std::tie(a.due_ms, a.task, a.timer) < std::tie(b.due_ms, b.task, b.timer);
  });
  if (found.size() > limit) found.resize(limit);
  return found;
}

Result<std::vector<TaskId>> MemoryStore::runnable(std::optional<TaskId> after, size_t limit) {
  const std::lock_guard lock(mutex_);
  std::vector<TaskId> found;
  auto row = after ? rows_.tasks.upper_bound(*after) : rows_.tasks.begin();
  for (; row != rows_.tasks.end() && found.size() < limit; ++row) {
    if (row->second.runnable) found.push_back(row->first);
  }
  return found;
}

Result<std::vector<Frame>> MemoryStore::frames_after(Pos after, size_t max_bytes) {
  const std::lock_guard lock(mutex_);
  return rows_.frames_after(after, max_bytes);
}

Result<StoreCounts> MemoryStore::counts(int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  return rows_.counts(now_ms);
}

Result<std::vector<KeptRow>> MemoryStore::kept(const std::string& kind,
                                               const std::optional<KeptRow>& after, size_t limit) {
  const std::lock_guard lock(mutex_);
  return rows_.kept_of(kind, after, limit);
}

}  // namespace perdure
