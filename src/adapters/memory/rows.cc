#include "adapters/memory/rows.h"

#include <algorithm>
#include <set>

#include "base/assert.h"

namespace perdure {
namespace {

void add_once(std::vector<TaskId>& tasks, const TaskId& task) {
  if (std::find(tasks.begin(), tasks.end(), task) == tasks.end()) tasks.push_back(task);
}

StoreRows::IdempotencyKey key_of(const IdempotencyRow& row) {
  return {row.tenant, row.route, row.key};
}

}  // namespace

std::vector<TaskId> StoreRows::refused(const Batch& batch) const {
  std::vector<TaskId> named;
  for (const Frame& frame : batch.frames) {
    const auto known = frames.find(frame.task);
    const Frame* last = known == frames.end() ? nullptr : &known->second.back();
    const Seq head = last ? last->last_seq() : 0;
    if (frame.first_seq != head + 1 || (last && frame.epoch < last->epoch)) {
      add_once(named, frame.task);
    }
  }
  std::set<IdempotencyKey> seen;
  for (const IdempotencyRow& row : batch.idempotency) {
    const bool taken = idempotency.contains(key_of(row)) || !seen.insert(key_of(row)).second;
    if (taken) add_once(named, row.task);
  }
  return named;
}

void StoreRows::apply(Batch batch) {
  for (TaskRow& row : batch.tasks) replace(std::move(row));
  for (TaskRow& row : batch.rebuilt) {
    const TaskId task = row.id;
    tasks[task] = std::move(row);
  }
  for (Frame& frame : batch.frames) {
    PERDURE_ASSERT(frame.pos > last_pos, "positions rise");
    PERDURE_ASSERT(tasks.contains(frame.task), "a task's row comes with its first frame");
    last_pos = frame.pos;
    const TaskId task = frame.task;
    frames[task].push_back(std::move(frame));
  }
  for (IdempotencyRow& row : batch.idempotency) {
    PERDURE_ASSERT(tasks.contains(row.task), "an idempotency row names a task that has a row");
    idempotency[key_of(row)] = std::move(row);
  }
  for (const TimerRow& row : batch.timers_cleared) timers.erase({row.task, row.timer});
  for (const TimerRow& row : batch.timers_set) timers[{row.task, row.timer}] = row.due_ms;
  for (InterruptRow& row : batch.interrupts_opened) {
    const InterruptId id{row.task, row.seq};
    interrupts[id] = std::move(row);
  }
  for (const InterruptRow& row : batch.interrupts_closed) interrupts.erase({row.task, row.seq});
  for (KeptRow& row : batch.kept) {
    const KeptKey key{row.kind, row.tenant, row.name};
    if (row.value.empty()) {
      kept.erase(key);
    } else {
      kept[key] = std::move(row.value);
    }
  }
}

std::vector<KeptRow> StoreRows::kept_of(const std::string& kind,
                                        const std::optional<KeptRow>& after, size_t limit) const {
  std::vector<KeptRow> found;
  const KeptRow from = after.value_or(KeptRow{});
  auto row = kept.upper_bound({kind, from.tenant, from.name});
  for (; row != kept.end() && found.size() < limit; ++row) {
    const auto& [of_kind, tenant, name] = row->first;
    if (of_kind != kind) break;
    found.push_back({kind, tenant, name, row->second});
  }
  return found;
}

void StoreRows::replace(TaskRow row) {
  const auto known = tasks.find(row.id);
  if (known != tasks.end()) {
    const TaskRow& old = known->second;
    PERDURE_ASSERT(std::tie(row.tenant, row.principal, row.planner, row.agent, row.session,
                            row.created_ms) == std::tie(old.tenant, old.principal, old.planner,
                                                        old.agent, old.session, old.created_ms),
                   "whose a task is, and what drives it, never changes");
  }
  const TaskId task = row.id;
  tasks[task] = std::move(row);
}

std::vector<Frame> StoreRows::frames_after(Pos after, size_t max_bytes) const {
  std::vector<const Frame*> behind;
  for (const auto& [task, all] : frames) {
    for (const Frame& frame : all) {
      if (frame.pos > after) behind.push_back(&frame);
    }
  }
  std::sort(behind.begin(), behind.end(),
            [](const Frame* a, const Frame* b) { return a->pos < b->pos; });
  std::vector<Frame> found;
  size_t bytes = 0;
  for (const Frame* frame : behind) {
    bytes += frame->body.size();
    if (!found.empty() && bytes > max_bytes) break;
    found.push_back(*frame);
  }
  return found;
}

TaskRows StoreRows::rows_of(const TaskId& id) const {
  TaskRows out;
  if (const auto row = tasks.find(id); row != tasks.end()) out.task = row->second;
  for (auto row = timers.lower_bound({id, ""}); row != timers.end() && row->first.first == id;
       ++row) {
    out.timers.push_back({id, row->first.second, row->second});
  }
  for (auto row = interrupts.lower_bound({id, 0}); row != interrupts.end() && row->first.task == id;
       ++row) {
    out.interrupts.push_back(row->second);
  }
  return out;
}

StoreCounts StoreRows::counts(int64_t now_ms) const {
  StoreCounts out;
  for (const auto& [id, row] : tasks) {
    if (!is_terminal(row.status)) ++out.tasks[row.status];
  }
  for (const auto& [id, row] : interrupts) ++out.interrupts[row.reason];
  out.timers = timers.size();
  for (const auto& [timer, due_ms] : timers) out.timers_due += due_ms <= now_ms ? 1 : 0;
  return out;
}

}  // namespace perdure
