#include "store/random_world.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "store/sample.h"

namespace perdure::store_test {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(Met::kLast)> kNames = {
    "task created",
    "frame appended",
    "many frames in one commit",
    "task row replaced",
    "timer set",
    "timer moved",
    "timer cleared",
    "timer cleared and set",
    "interrupt opened",
    "interrupt replaced",
    "interrupt closed",
    "idempotency stored",
    "commit without frames",
    "reopened",
    "refused: gap",
    "refused: old head",
    "refused: unknown task",
    "refused: epoch",
    "refused: key taken",
    "refused: key twice",
    "refused: several",
    "rest committed again",
    "contains: yes",
    "contains: no",
    "page of tasks",
    "page of frames",
    "page of interrupts",
    "interrupts of a person",
    "tasks of a label",
    "page of timers",
    "page of runnable",
    "page of all frames",
    "idempotency found",
    "row kept",
    "kept row replaced",
    "kept row removed",
    "page of kept rows",
};
constexpr std::array<std::string_view, 3> kTenants = {"acme", "other", "Ünïcode ☃"};

template <class Map>
auto any_of(Map& map, uint64_t at) {
  return std::next(map.begin(), static_cast<std::ptrdiff_t>(at % map.size()));
}

}  // namespace

std::string_view name_of(Met met) {
  return kNames[static_cast<size_t>(met)];
}

std::string RandomWorld::text(size_t size_max) {
  std::string out(below(size_max + 1), ' ');
  for (char& c : out) c = static_cast<char>('a' + below(26));
  return out;
}

std::string RandomWorld::any_person() {
  return std::string(1, static_cast<char>('a' + below(4)));
}

std::string RandomWorld::any_tenant() {
  return std::string(kTenants[below(kTenants.size())]);
}

TaskId RandomWorld::any_task() {
  return tasks_.empty() || one_in(20) ? task_id(1'000'000) : any_of(tasks_, random_())->first;
}

IdempotencyRow RandomWorld::any_key() {
  if (!keys_.empty() && !one_in(4)) return keys_[below(keys_.size())];
  return {any_tenant(), "POST /v1/tasks", text(2), {}, {}, 0};
}

const Frame* RandomWorld::any_frame() {
  return frames_.empty() ? nullptr : &frames_[below(frames_.size())];
}

RandomWorld::Draw RandomWorld::draw(Epoch epoch) {
  Draw draw;
  std::set<TaskId> used;
  const uint64_t frames = one_in(8) ? 5 + below(10) : below(4);
  for (uint64_t i = 0; i < frames; ++i) {
    if (tasks_.empty() || one_in(tasks_.size() < 20 ? 3 : 10)) {
      create(draw, epoch);
    } else if (auto task = any_of(tasks_, random_()); used.insert(task->first).second) {
      append(draw, epoch, task->second);
    }
  }
  if (draw.batch.frames.empty()) {
    if (!tasks_.empty()) touch(draw, any_of(tasks_, random_())->second);
    draw.if_durable.push_back(Met::kCommitWithoutFrames);
  }
  if (draw.batch.frames.size() >= 5) draw.if_durable.push_back(Met::kManyFramesInOneCommit);
  if (one_in(3)) keep(draw);
  if (one_in(4)) spoil(draw);
  return draw;
}

void RandomWorld::create(Draw& draw, Epoch epoch) {
  // Ids do not rise with the order of creation: clocks jump.
  const TaskId id = task_id(next_task_ ^ 5);
  ++next_task_;
  Batch created = creation(id, any_tenant(), ++pos_, epoch);
  TaskRow& row = created.tasks[0];
  row.agent = one_in(2) ? "refunds" : "triage";
  row.session = one_in(2) ? "" : one_in(2) ? "chat-1" : "chat-2";
  row.metadata = R"({"x":")" + text(40) + "\"}";
  if (one_in(2)) row.metadata = R"({"n":1,"who":")" + any_person() + "\"}";
  draw.batch.frames.push_back(created.frames[0]);
  draw.batch.tasks.push_back(row);
  draw.if_durable.push_back(Met::kTaskCreated);
  if (!one_in(3)) {
    IdempotencyRow key = {row.tenant, "POST /v1/tasks", text(2), sha256(text(9)),
                          id,         row.created_ms};
    // A key that was used before, here or in an earlier commit: rare by chance alone.
    const auto& earlier = one_in(2) ? keys_ : draw.batch.idempotency;
    if (one_in(4) && !earlier.empty()) {
      const IdempotencyRow& other = earlier[below(earlier.size())];
      key.tenant = other.tenant;
      key.key = other.key;
    }
    const auto same = [&](const IdempotencyRow& other) {
      return other.tenant == key.tenant && other.key == key.key;
    };
    if (std::any_of(draw.batch.idempotency.begin(), draw.batch.idempotency.end(), same)) {
      draw.if_refused.push_back(Met::kRefusedKeyTwice);
    } else if (std::any_of(keys_.begin(), keys_.end(), same)) {
      draw.if_refused.push_back(Met::kRefusedKeyTaken);
    }
    draw.batch.idempotency.push_back(std::move(key));
    draw.if_durable.push_back(Met::kIdempotencyStored);
  }
}

void RandomWorld::append(Draw& draw, Epoch epoch, Task& task) {
  const auto count = static_cast<uint32_t>(1 + below(4));
  draw.batch.frames.push_back(
      frame_after(&task.last, task.row.id, ++pos_, epoch, count, text(one_in(10) ? 300 : 20)));
  draw.if_durable.push_back(Met::kFrameAppended);
  if (one_in(3)) touch(draw, task);
  if (one_in(3)) timers(draw, task.row.id);
  if (one_in(3)) interrupts(draw, task);
}

// An end is for good: nothing that was ended is open again.
void RandomWorld::touch(Draw& draw, const Task& task) {
  TaskRow row = task.row;
  row.status = static_cast<TaskStatus>(below(one_in(8) ? 6 : 3));
  if (ended_.contains(row.id)) row.status = TaskStatus::kCompleted;
  if (is_terminal(row.status)) ended_.insert(row.id);
  row.phase = static_cast<Phase>(below(3));
  row.runnable = one_in(2);
  row.waiting_for = one_in(2) ? "[]" : R"([{"kind":"timer"}])";
  row.used.cost_micro_usd += static_cast<int64_t>(below(1000));
  row.used.output_tokens -= static_cast<int64_t>(below(1000));
  row.updated_ms += static_cast<int64_t>(below(1000));
  row.head = task.last.last_seq();
  row.ended_seq = is_terminal(row.status) ? row.head : 0;
  draw.batch.tasks.push_back(std::move(row));
  draw.if_durable.push_back(Met::kTaskRowReplaced);
}

void RandomWorld::timers(Draw& draw, const TaskId& task) {
  const TimerId name(1, static_cast<char>('a' + below(4)));
  const bool stands = timers_.contains({task, name});
  const bool clear = one_in(2);
  const bool set = !clear || one_in(3);
  if (clear) draw.batch.timers_cleared.push_back({task, name, 0});
  if (set) draw.batch.timers_set.push_back({task, name, static_cast<int64_t>(below(1000)) - 100});
  if (clear && set) draw.if_durable.push_back(Met::kTimerClearedAndSet);
  if (clear && !set && stands) draw.if_durable.push_back(Met::kTimerCleared);
  if (set && !clear) draw.if_durable.push_back(stands ? Met::kTimerMoved : Met::kTimerSet);
}

void RandomWorld::interrupts(Draw& draw, const Task& task) {
  if (!interrupts_.empty() && one_in(2)) {
    draw.batch.interrupts_closed.push_back(any_of(interrupts_, random_())->second);
    draw.if_durable.push_back(Met::kInterruptClosed);
    return;
  }
  InterruptRow row;
  if (!interrupts_.empty() && one_in(3)) {
    row = any_of(interrupts_, random_())->second;
    draw.if_durable.push_back(Met::kInterruptReplaced);
  } else {
    row.task = task.row.id;
    row.seq = draw.batch.frames.back().first_seq;
    row.tenant = task.row.tenant;
    draw.if_durable.push_back(Met::kInterruptOpened);
  }
  row.reason = static_cast<InterruptReason>(below(9));
  row.created_ms = static_cast<int64_t>(below(1000));
  row.shown = one_in(4) ? "" : text(20);
  row.assignees.clear();
  while (!row.shown.empty() && row.assignees.size() < 3 && one_in(2)) {
    row.assignees.push_back(any_person());
  }
  draw.batch.interrupts_opened.push_back(std::move(row));
}

void RandomWorld::keep(Draw& draw) {
  const std::string tenant = any_tenant();
  const std::string name(1, static_cast<char>('a' + below(6)));
  const bool stands = kept_.contains({tenant, name});
  const bool removes = one_in(3);
  draw.batch.kept.push_back({"agent", tenant, name, removes ? "" : "v" + text(20)});
  if (removes && stands) draw.if_durable.push_back(Met::kKeptRowRemoved);
  if (!removes) draw.if_durable.push_back(stands ? Met::kKeptRowReplaced : Met::kRowKept);
}

// Makes one frame of the batch wrong.
void RandomWorld::spoil(Draw& draw) {
  if (draw.batch.frames.empty()) return;
  Frame& frame = draw.batch.frames[below(draw.batch.frames.size())];
  const auto known = tasks_.find(frame.task);
  if (known == tasks_.end()) {
    frame.first_seq = 2 + below(3);
    draw.if_refused.push_back(Met::kRefusedUnknownTask);
  } else if (one_in(3)) {
    frame.first_seq += 1 + below(3);
    draw.if_refused.push_back(Met::kRefusedGap);
  } else if (one_in(2)) {
    frame.first_seq = known->second.last.first_seq;
    draw.if_refused.push_back(Met::kRefusedOldHead);
  } else {
    frame.epoch = known->second.last.epoch - 1;
    draw.if_refused.push_back(Met::kRefusedEpoch);
  }
}

void RandomWorld::remember(const Batch& batch) {
  for (const TaskRow& row : batch.tasks) tasks_[row.id].row = row;
  for (const Frame& frame : batch.frames) {
    tasks_[frame.task].last = frame;
    frames_.push_back(frame);
  }
  keys_.insert(keys_.end(), batch.idempotency.begin(), batch.idempotency.end());
  for (const TimerRow& row : batch.timers_cleared) timers_.erase({row.task, row.timer});
  for (const TimerRow& row : batch.timers_set) timers_[{row.task, row.timer}] = row.due_ms;
  for (const InterruptRow& row : batch.interrupts_opened) interrupts_[{row.task, row.seq}] = row;
  for (const InterruptRow& row : batch.interrupts_closed) interrupts_.erase({row.task, row.seq});
  for (const KeptRow& row : batch.kept) {
    if (row.value.empty()) {
      kept_.erase({row.tenant, row.name});
    } else {
      kept_.insert({row.tenant, row.name});
    }
  }
}

Batch RandomWorld::without(const Batch& batch, const std::vector<TaskId>& refused) {
  const auto dropped = [&](const TaskId& id) {
    return std::find(refused.begin(), refused.end(), id) != refused.end();
  };
  const auto of_row = [&](const auto& row) { return dropped(row.task); };
  Batch rest = batch;
  std::erase_if(rest.frames, of_row);
  std::erase_if(rest.tasks, [&](const TaskRow& row) { return dropped(row.id); });
  std::erase_if(rest.idempotency, of_row);
  std::erase_if(rest.timers_set, of_row);
  std::erase_if(rest.timers_cleared, of_row);
  std::erase_if(rest.interrupts_opened, of_row);
  std::erase_if(rest.interrupts_closed, of_row);
  return rest;
}

}  // namespace perdure::store_test
