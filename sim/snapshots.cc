#include "snapshots.h"

#include <fmt/core.h>

#include <set>

#include "agent/builtin_tools.h"
#include "base/hooks.h"
#include "core/evolve.h"
#include "core/state_layout.h"
#include "journal/frame.h"
#include "ports/row_digest.h"
#include "world.h"

namespace perdure::sim {
namespace {

using Kind = TaskSnapshot::Kind;

bool believes_all() {
  return hooks::planted(hooks::Bug::kVerificationSkipped) ||
         hooks::planted(hooks::Bug::kSnapshotBelieved);
}

}  // namespace

std::optional<TaskSnapshot> SimSnapshots::find(const TaskId& task, Kind kind) {
  if (world_.dice().chance(world_.knobs().snapshot_failed)) return std::nullopt;
  const auto written = disk_.snapshots.find({task, kind});
  if (written == disk_.snapshots.end()) return std::nullopt;
  TaskSnapshot read = disk_.decay.as_read(written->second);
  if (digest_of(read) != digest_of(written->second)) {
    world_.probe(Probe::kSnapshotDamaged);
    if (!believes_all()) return std::nullopt;
  }
  if (kind == Kind::kState) world_.loads(task);
  world_.probe(Probe::kSnapshotFound);
  return read;
}

Status SimSnapshots::put(const TaskSnapshot& snapshot) {
  if (world_.dice().chance(world_.knobs().snapshot_failed)) {
    return fail(Code::kExhausted, "the disk is full");
  }
  world_.trace("snapshot", snapshot.task, snapshot.seq, [&] {
    return fmt::format("kind {} of record {}, {} bytes", static_cast<int>(snapshot.kind),
                       snapshot.seq, snapshot.body.size());
  });
  world_.probe(snapshot.kind == Kind::kState ? Probe::kSnapshotWritten : Probe::kSnapshotOfAgent);
  judge(snapshot);
  disk_.snapshots[{snapshot.task, snapshot.kind}] = snapshot;
  return {};
}

void SimSnapshots::drop(const TaskId& task) {
  for (const Kind kind : {Kind::kState, Kind::kPlanner}) {
    if (disk_.snapshots.erase({task, kind}) > 0) world_.probe(Probe::kSnapshotDropped);
  }
}

uint64_t SimSnapshots::size_bytes(const TaskId& task, Kind kind) {
  const auto found = disk_.snapshots.find({task, kind});
  return found == disk_.snapshots.end() ? 0 : found->second.body.size();
}

std::vector<TaskId> SimSnapshots::tasks() {
  std::set<TaskId> found;
  for (const auto& [key, snapshot] : disk_.snapshots) found.insert(key.first);
  return {found.begin(), found.end()};
}

void SimSnapshots::judge(const TaskSnapshot& snapshot) {
  std::vector<Record> records;
  Sha256 chain;
  for (const Frame& frame : disk_.rows.frames.at(snapshot.task)) {
    if (frame.last_seq() > snapshot.seq) break;
    auto decoded = decode_frame(frame);
    for (Record& record : *decoded) records.push_back(std::move(record));
    chain = frame.chain;
  }
  const bool ends_there = !records.empty() && records.back().seq == snapshot.seq;
  if (ends_there && chain == snapshot.chain && folded(snapshot, records) == snapshot.body) return;
  world_.verdict().violation(
      "snapshot_equal",
      fmt::format("{}: the snapshot of record {} (kind {}) is not what its journal gives",
                  snapshot.task.to_string(), snapshot.seq, static_cast<int>(snapshot.kind)));
}

std::string SimSnapshots::folded(const TaskSnapshot& snapshot, const std::vector<Record>& records) {
  if (snapshot.kind == Kind::kState) {
    core::TaskState state;
    state.id = snapshot.task;
    for (const Record& record : records) {
      if (!core::evolve(state, record)) return {};
    }
    return core::encode(state);
  }
  Transcript transcript(inline_rules(setup_.agents.front()));
  for (Record record : records) {
    Payload* payload = payload_of(record.body);
    if (payload != nullptr && payload->place == Payload::Place::kBlob) {
      payload->bytes = std::make_shared<const std::string>(disk_.blobs.at(payload->hash));
    }
    if (payload != nullptr && payload->place == Payload::Place::kWithin) {
      const Payload* whole = nullptr;
      for (const Record& earlier : records) {
        if (earlier.seq != payload->within_seq) continue;
        whole = payload_of(earlier.body);
      }
      const std::string bytes = whole->bytes ? *whole->bytes : disk_.blobs.at(whole->hash);
      payload->bytes = std::make_shared<const std::string>(
          bytes.substr(payload->offset_bytes, payload->size_bytes));
    }
    transcript.apply(record);
  }
  return transcript.status() ? transcript.encode() : std::string();
}

}  // namespace perdure::sim
