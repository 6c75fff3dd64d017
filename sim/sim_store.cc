#include "sim_store.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/hooks.h"
#include "ports/label.h"
#include "ports/row_digest.h"
#include "world.h"

namespace perdure::sim {

using Kind = CommitResult::Kind;

SimStore::SimStore(World& world, Disk& disk) : world_(world), disk_(disk) {
  epoch_ = ++disk_.rows.incarnation << 32 | 1;
  opened_at_ = disk_.rows.last_pos;
}

Kind SimStore::decide() {
  Dice& dice = world_.dice();
  if (!batch_->frames.empty() && dice.chance(world_.knobs().commit_refused)) fence_one();
  if (dice.chance(world_.knobs().commit_failed)) return Kind::kFailed;
  if (dice.chance(world_.knobs().commit_unknown)) return Kind::kUnknown;
  return Kind::kDurable;
}

// Another process takes over one of the tasks, and adds a record of its own.
void SimStore::fence_one() {
  const Frame& chosen = batch_->frames[world_.dice().below(batch_->frames.size())];
  const auto known = disk_.rows.frames.find(chosen.task);
  if (known == disk_.rows.frames.end()) return;  // nobody can know a task that is not durable
  const Epoch rival = (disk_.rows.incarnation + 1) << 32;
  disk_.fences[chosen.task] = rival;
  world_.trace("fence", chosen.task, rival, [] { return "another process takes the task over"; });
  if (world_.dice().chance(500)) {
    const Frame& last = known->second.back();
    Record record;
    record.seq = last.last_seq() + 1;
    record.at_ms = world_.clock().unix_ms();
    if (const auto before = decode_frame(last); before) {
      record.at_ms = std::max(record.at_ms, before->back().at_ms);
    }
    record.body = AnomalyNoted{{}, 0, "noted by another process", {}};
    Batch batch;
    batch.frames.push_back(encode_frame(chosen.task, rival, last.chain, std::span(&record, 1)));
    batch.frames.back().pos = disk_.rows.last_pos + 1;
    world_.make_durable(batch);
  }
  world_.plan_takeover();
}

std::vector<TaskId> SimStore::refused() const {
  std::vector<TaskId> named = disk_.rows.refused(*batch_);
  for (const Frame& frame : batch_->frames) {
    const auto fence = disk_.fences.find(frame.task);
    const bool fenced = fence != disk_.fences.end() && frame.epoch < fence->second;
    if (fenced && std::find(named.begin(), named.end(), frame.task) == named.end()) {
      named.push_back(frame.task);
    }
  }
  return named;
}

void SimStore::commit(const Batch& batch, std::function<void(CommitResult)> done) {
  if (world_.is_doomed()) return;
  PERDURE_ASSERT(batch_ == nullptr, "one commit is under way at a time");
  batch_ = &batch;
  done_ = std::move(done);
  on_disk_ = false;
  Dice& dice = world_.dice();
  const Kind kind = decide();
  int64_t durable_us = dice.between(0, world_.knobs().commit_us_max);
  if (dice.chance(world_.knobs().commit_slow)) durable_us += dice.between(1'000'000, 15'000'000);
  const int64_t told_us = durable_us + dice.between(0, world_.knobs().commit_us_max / 2);
  const bool lands = kind == Kind::kDurable || dice.chance(500);
  world_.trace("commit", {}, batch.frames.size(),
               [&] { return std::to_string(batch.frames.size()) + " frames"; });
  if (lands) {
    world_.in_process(durable_us, "durable", [this] { reach_disk(); });
  }
  world_.in_process(told_us, "committed", [this, kind] { finish(kind); });
}

void SimStore::reach_disk() {
  if (batch_ == nullptr || on_disk_) return;
  if (!refused().empty()) return;
  on_disk_ = true;
  // Positions of another process lie between: the store gives its own.
  Batch batch = *batch_;
  for (Frame& frame : batch.frames) frame.pos = std::max(frame.pos, disk_.rows.last_pos + 1);
  for (size_t i = 1; i < batch.frames.size(); ++i) {
    batch.frames[i].pos = std::max(batch.frames[i].pos, batch.frames[i - 1].pos + 1);
  }
  world_.make_durable(batch);
}

void SimStore::finish(Kind kind) {
  if (batch_ == nullptr) return;
  CommitResult result;
  result.kind = kind;
  result.refused = on_disk_ ? std::vector<TaskId>() : refused();
  if (!on_disk_ && !result.refused.empty() && kind == Kind::kDurable) {
    result.kind = Kind::kRefused;
    world_.probe(Probe::kCommitRefused);
  } else {
    result.refused.clear();
  }
  if (kind == Kind::kFailed) {
    result.message = "the disk says no";
    world_.probe(Probe::kCommitFailed);
  }
  if (kind == Kind::kUnknown) {
    world_.probe(on_disk_ ? Probe::kUnknownDurable : Probe::kUnknownLost);
  }
  batch_ = nullptr;
  const auto done = std::move(done_);
  done_ = nullptr;
  world_.poke();
  done(std::move(result));
}

void SimStore::crash() {
  if (batch_ == nullptr) return;
  if (!on_disk_ && world_.dice().chance(500)) reach_disk();
  world_.probe(on_disk_ ? Probe::kCrashKeptCommit : Probe::kCrashLostCommit);
  batch_ = nullptr;
  done_ = nullptr;
}

bool SimStore::read_fails() {
  const bool fails = world_.dice().chance(world_.knobs().read_failed);
  if (fails) world_.probe(Probe::kReadFailed);
  return fails;
}

namespace {

tl::unexpected<Error> unreadable() {
  return fail(Code::kUnavailable, "the store does not answer now");
}

}  // namespace

Result<bool> SimStore::contains(const Frame& frame) {
  const auto known = disk_.rows.frames.find(frame.task);
  if (known == disk_.rows.frames.end()) return false;
  return std::any_of(known->second.begin(), known->second.end(), [&](const Frame& stored) {
    return std::tie(stored.first_seq, stored.epoch, stored.chain) ==
           std::tie(frame.first_seq, frame.epoch, frame.chain);
  });
}

// As the store on disk compares: with the digest of what was written.
namespace {

template <class Row>
bool is_whole(const Row& read, const Row& written) {
  return hooks::planted(hooks::Bug::kVerificationSkipped) || digest_of(read) == digest_of(written);
}

}  // namespace

TaskRow SimStore::read(const TaskRow& written) const {
  TaskRow row = disk_.decay.as_read(written);
  if (is_whole(row, written)) return row;
  TaskRow damaged;
  damaged.id = row.id;
  damaged.tenant = row.tenant;
  damaged.damaged = true;
  return damaged;
}

TimerRow SimStore::read(const TimerRow& written) const {
  TimerRow row = disk_.decay.as_read(written);
  row.damaged = !is_whole(row, written);
  return row;
}

InterruptRow SimStore::read(const InterruptRow& written) const {
  InterruptRow row = disk_.decay.as_read(written);
  if (is_whole(row, written)) return row;
  InterruptRow damaged;
  damaged.task = row.task;
  damaged.seq = row.seq;
  damaged.tenant = row.tenant;
  damaged.damaged = true;
  return damaged;
}

// There are two copies: the first is taken if its digest fits.
std::string SimStore::secret() const {
  std::string first = disk_.decay.secret_as_read();
  const bool fits = digest_of_secret(first) == digest_of_secret(disk_.rows.secret);
  return fits || hooks::planted(hooks::Bug::kVerificationSkipped) ? first : disk_.rows.secret;
}

Result<std::optional<TaskRow>> SimStore::task(const TaskId& id) {
  if (read_fails()) return unreadable();
  const auto row = disk_.rows.tasks.find(id);
  if (row == disk_.rows.tasks.end()) return std::nullopt;
  TaskRow found = read(row->second);
  if (found.damaged) return fail(Code::kCorrupt, "the row of the task is not what was written");
  return found;
}

Result<std::vector<TaskRow>> SimStore::tasks(const TaskQuery& query) {
  if (read_fails()) return unreadable();
  std::vector<TaskRow> found;
  for (auto row = disk_.rows.tasks.rbegin(); row != disk_.rows.tasks.rend(); ++row) {
    const TaskRow task = read(row->second);
    if (query.before && task.id >= *query.before) continue;
    if (query.status && task.status != *query.status) continue;
    if (!query.session.empty() && task.session != query.session) continue;
    if (!query.label.empty() && !labels_of(task.metadata).contains(query.label)) continue;
    if (found.size() < query.limit && task.tenant == query.tenant) found.push_back(task);
  }
  return found;
}

Result<TaskRows> SimStore::rows_of(const TaskId& id) {
  if (read_fails()) return unreadable();
  TaskRows rows = disk_.rows.rows_of(id);
  if (rows.task) rows.task = read(*rows.task);
  for (TimerRow& row : rows.timers) row = read(row);
  for (InterruptRow& row : rows.interrupts) row = read(row);
  return rows;
}

// Each with the chain that stands in the frame before.
std::vector<Frame> SimStore::read_frames(const TaskId& id, Seq from_seq, size_t max_bytes) const {
  std::vector<Frame> found;
  const auto known = disk_.rows.frames.find(id);
  if (known == disk_.rows.frames.end()) return found;
  size_t bytes = 0;
  Sha256 previous;
  for (const Frame& written : known->second) {
    Frame frame = disk_.decay.as_read(written);
    frame.previous = std::exchange(previous, frame.chain);
    if (written.last_seq() < from_seq) continue;
    bytes += frame.body.size();
    if (!found.empty() && bytes > max_bytes) break;
    found.push_back(std::move(frame));
  }
  return found;
}

Result<std::vector<Frame>> SimStore::frames_as_they_are(const TaskId& id, Seq from_seq,
                                                        size_t max_bytes) {
  if (read_fails()) return unreadable();
  return read_frames(id, from_seq, max_bytes);
}

Result<std::vector<Frame>> SimStore::frames(const TaskId& id, Seq from_seq, size_t max_bytes) {
  if (read_fails()) return unreadable();
  std::vector<Frame> found = read_frames(id, from_seq, max_bytes);
  if (found.empty() || ends_as_written(id, found.back())) return found;
  return fail(Code::kCorrupt, "the journal does not end where it ended");
}

// Of a frame that is not the last one nothing is known here.
bool SimStore::ends_as_written(const TaskId& id, const Frame& last) const {
  const Frame& newest = disk_.rows.frames.at(id).back();
  if (last.first_seq != newest.first_seq) return true;
  if (hooks::planted(hooks::Bug::kVerificationSkipped)) return true;
  return last.last_seq() == newest.last_seq() && last.chain == newest.chain;
}

Result<std::optional<IdempotencyRow>> SimStore::idempotency(const std::string& tenant,
                                                            const std::string& route,
                                                            const std::string& key) {
  if (read_fails()) return unreadable();
  const auto row = disk_.rows.idempotency.find({tenant, route, key});
  if (row == disk_.rows.idempotency.end()) return std::nullopt;
  return row->second;
}

Result<std::vector<InterruptRow>> SimStore::interrupts(const InterruptQuery& query) {
  if (read_fails()) return unreadable();
  std::vector<InterruptRow> found;
  auto row =
      query.after ? disk_.rows.interrupts.upper_bound(*query.after) : disk_.rows.interrupts.begin();
  for (; row != disk_.rows.interrupts.end() && found.size() < query.limit; ++row) {
    if (wants(query, row->second)) found.push_back(read(row->second));
  }
  return found;
}

Result<std::vector<TimerRow>> SimStore::timers_due(int64_t until_ms, size_t limit) {
  if (read_fails()) return unreadable();
  std::vector<TimerRow> found;
  for (const auto& [key, due_ms] : disk_.rows.timers) {
    TimerRow row = read(TimerRow{key.first, key.second, due_ms});
    if (row.due_ms <= until_ms) found.push_back(std::move(row));
  }
  std::sort(found.begin(), found.end(), [](const TimerRow& a, const TimerRow& b) {
    return std::tie(a.due_ms, a.task, a.timer) < std::tie(b.due_ms, b.task, b.timer);
  });
  if (found.size() > limit) found.resize(limit);
  return found;
}

Result<std::vector<TaskId>> SimStore::runnable(std::optional<TaskId> after, size_t limit) {
  if (read_fails()) return unreadable();
  std::vector<TaskId> found;
  auto row = after ? disk_.rows.tasks.upper_bound(*after) : disk_.rows.tasks.begin();
  for (; row != disk_.rows.tasks.end() && found.size() < limit; ++row) {
    if (disk_.decay.as_read(row->second).runnable) found.push_back(row->first);
  }
  return found;
}

Result<std::vector<Frame>> SimStore::frames_after(Pos after, size_t max_bytes) {
  if (read_fails()) return unreadable();
  std::vector<Frame> found = disk_.rows.frames_after(after, max_bytes);
  for (Frame& frame : found) frame = disk_.decay.as_read(frame);
  return found;
}

Result<StoreCounts> SimStore::counts(int64_t now_ms) {
  if (read_fails()) return unreadable();
  return disk_.rows.counts(now_ms);
}

}  // namespace perdure::sim
