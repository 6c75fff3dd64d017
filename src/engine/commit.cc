// What becomes durable: one commit at a time, and what gathers meanwhile goes into the next.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/hooks.h"
#include "base/log.h"
#include "engine/impl.h"
#include "engine/rows.h"

namespace perdure::engine {

using hooks::Bug;
using hooks::planted;

namespace {

constexpr size_t kStartFirstFrames = 64;

}  // namespace

bool Engine::Impl::commit_if_due() {
  if (under_way || open.empty() || failed) return false;
  const bool due = open.must_commit || open.touched.size() >= options.batch_frames_max ||
                   now_us() - open.since_us >= options.commit_delay_max_us;
  if (!due) return false;
  start_commit();
  return true;
}

void Engine::Impl::start_commit() {
  OpenBatch batch = std::move(open);
  open = {};
  UnderWay& going = under_way.emplace();
  going.since_us = batch.since_us;
  going.outputs = std::move(batch.outputs);
  going.rows = std::move(batch.apart);
  going.rows.frames.reserve(batch.touched.size());
  for (const TaskId& id : batch.touched) {
    Live& task = *live.at(id);
    const auto records = task.recent.between(task.handed_seq + 1, task.task.state.head);
    task.handed_seq = task.task.state.head;
    ++task.commits_under_way;
    const Sha256 previous = planted(Bug::kChainBroken) ? Sha256{} : task.chain;
    Frame frame = encode_frame(id, world.store.epoch(), previous, records);
    frame.pos = ++next_pos;
    task.chain = frame.chain;
    add_rows(going.rows, task, records);
    going.rows.frames.push_back(std::move(frame));
  }
  going.rows.idempotency = std::move(batch.idempotency);
  if (planted(Bug::kIdempotencyRowApart)) std::swap(going.rows.idempotency, late_idempotency);
  if (planted(Bug::kAckBeforeDurable) || planted(Bug::kSendBeforeDurable)) release_before_durable();
  if (planted(Bug::kShownBeforeDurable)) show(going.rows.frames);
  if (going.rows.empty()) return finish_commit({});
  hooks::crash_point("engine.before_commit");
  commit(going.rows);
}

void Engine::Impl::commit(const Batch& rows) {
  world.store.commit(rows, [this](CommitResult result) { mailbox.put_commit(std::move(result)); });
}

void Engine::Impl::finish_commit(CommitResult result) {
  PERDURE_ASSERT(under_way.has_value(), "a commit ends once");
  if (result.kind == CommitResult::Kind::kUnknown) {
    // Rows without frames say the same when they are written again.
    const Batch& rows = under_way->rows;
    const auto found =
        rows.frames.empty() ? Result<bool>(false) : world.store.contains(rows.frames.front());
    if (!found) {
      result.kind = CommitResult::Kind::kFailed;
      result.message = "a commit's outcome cannot be learned: " + found.error().message;
    } else if (*found) {
      result.kind = CommitResult::Kind::kDurable;
    } else {
      return commit(rows);
    }
  }
  switch (result.kind) {
    case CommitResult::Kind::kFailed:
      failed = true;
      log(LogLevel::kError, "store.failed", {{"why", result.message}});
      return world.on_failure(result.message);
    case CommitResult::Kind::kRefused:
      return drop_refused(result.refused);
    default:
      break;
  }
  hooks::crash_point("engine.after_commit");
  UnderWay done = std::move(*under_way);
  under_way.reset();
  note_durable(done);
  // The store writes a large batch while the outputs of the one before leave.
  if (open.touched.size() >= kStartFirstFrames && !halted) commit_if_due();
  for (Output& output : done.outputs) release(output);
  for (const Frame& frame : done.rows.frames) evict(frame.task);
}

// Somebody else owns these tasks now: what was decided here about them is dropped, the others
// commit again.
void Engine::Impl::drop_refused(const std::vector<TaskId>& refused) {
  const auto is_refused = [&](const TaskId& id) {
    return std::find(refused.begin(), refused.end(), id) != refused.end();
  };
  PERDURE_ASSERT(!refused.empty(), "a refusal names its tasks");
  UnderWay& going = *under_way;
  std::vector<Output> kept;
  const auto sort_out = [&](std::vector<Output>& outputs) {
    for (Output& output : outputs) {
      auto* reply = std::get_if<ReplyOutput>(&output.what);
      if (!is_refused(output.task)) {
        kept.push_back(std::move(output));
      } else if (reply != nullptr && reply->reply) {
        reply->reply(fail(Code::kUnavailable, "the task is driven by another process; ask again"));
      }
    }
    outputs = std::move(kept);
    kept = {};
  };
  sort_out(going.outputs);
  sort_out(open.outputs);
  Batch& rows = going.rows;
  for (size_t i = rows.frames.size(); i-- > 0;) {
    if (!is_refused(rows.frames[i].task)) continue;
    rows.frames.erase(rows.frames.begin() + static_cast<ptrdiff_t>(i));
  }
  std::erase_if(rows.tasks, [&](const TaskRow& row) { return is_refused(row.id); });
  std::erase_if(rows.idempotency, [&](const IdempotencyRow& row) {
    if (!is_refused(row.task)) return false;
    submitting.erase({row.tenant, row.route, row.key});
    return true;
  });
  for (auto* timer_rows : {&rows.timers_set, &rows.timers_cleared}) {
    std::erase_if(*timer_rows, [&](const TimerRow& row) { return is_refused(row.task); });
  }
  for (auto* interrupt_rows : {&rows.interrupts_opened, &rows.interrupts_closed}) {
    std::erase_if(*interrupt_rows, [&](const InterruptRow& row) { return is_refused(row.task); });
  }
  std::erase_if(open.touched, is_refused);
  std::erase_if(open.idempotency, [&](const IdempotencyRow& row) { return is_refused(row.task); });
  for (const TaskId& id : refused) {
    if (const auto found = live.find(id); found != live.end()) {
      metrics.calls_under_way -= found->second->calls_under_way;
      waits_outside.erase(id);
      live.erase(found);
    }
  }
  if (rows.empty()) return finish_commit({});
  commit(rows);
}

void Engine::Impl::note_durable(UnderWay& done) {
  if (done.rows.empty()) return;
  for (const Frame& frame : done.rows.frames) {
    Live& task = *live.at(frame.task);
    task.durable_seq = frame.last_seq();
    --task.commits_under_way;
    if (task.put_off) plans.emplace_back(frame.task, *std::exchange(task.put_off, std::nullopt));
    metrics.records += frame.count;
    note_growth(task, frame);
  }
  metrics.durable_waits += count_waits(done);
  timers.add(done.rows.timers_set);
  for (const IdempotencyRow& row : done.rows.idempotency) {
    submitting.erase({row.tenant, row.route, row.key});
  }
  ++metrics.commits;
  metrics.frames += done.rows.frames.size();
  metrics.commit.add(now_us() - done.since_us);
  show(done.rows.frames);
}

void Engine::Impl::show(const std::vector<Frame>& frames) const {
  if (observer == nullptr) return;
  std::vector<Committed> committed;
  committed.reserve(frames.size());
  for (const Frame& frame : frames) {
    const Recent& recent = live.at(frame.task)->recent;
    committed.push_back({frame.task, recent.between(frame.first_seq, frame.last_seq())});
  }
  observer->on_durable(committed);
}

// Tasks for which this commit held something back: an answer, a request, or the news of the end.
size_t Engine::Impl::count_waits(const UnderWay& done) const {
  std::vector<TaskId> waiting;
  waiting.reserve(done.outputs.size() + done.rows.frames.size());
  for (const Output& output : done.outputs) waiting.push_back(output.task);
  for (const Frame& frame : done.rows.frames) {
    const auto& ended = live.at(frame.task)->task.state.ended;
    if (ended && ended->seq == frame.last_seq()) waiting.push_back(frame.task);
  }
  std::sort(waiting.begin(), waiting.end());
  return static_cast<size_t>(std::unique(waiting.begin(), waiting.end()) - waiting.begin());
}

// A task that only waits is rows in the store, and nothing here.
void Engine::Impl::evict(const TaskId& id) {
  const auto found = live.find(id);
  if (found == live.end()) return;
  const Live& task = *found->second;
  if (task.is_idle() && (core::is_suspended(task.task) || quarantine.holds(id))) {
    waits_outside.erase(id);
    live.erase(found);
  }
  metrics.live = live.size();
}

}  // namespace perdure::engine
