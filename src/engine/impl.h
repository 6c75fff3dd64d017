#pragma once
// The engine's parts as its own files see them. Not for other folders.
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/turns.h"
#include "engine/clock_watch.h"
#include "engine/due_timers.h"
#include "engine/engine.h"
#include "engine/live.h"
#include "engine/output.h"
#include "engine/quarantine.h"

namespace perdure::engine {

// Records and outputs of one commit while they gather, and then while the store has them.
struct OpenBatch {
  std::vector<TaskId> touched;  // in order of their first record
  std::vector<IdempotencyRow> idempotency;
  Batch apart;  // rows that belong to no frame
  std::vector<Output> outputs;
  int64_t since_us = 0;      // of the first record
  bool must_commit = false;  // an output waits

  bool empty() const {
    return touched.empty() && outputs.empty() && idempotency.empty() && apart.empty();
  }
};

struct UnderWay {
  Batch rows;  // a copy is kept for the observer and for a commit that must be repeated
  std::vector<Output> outputs;
  int64_t since_us = 0;
};

// A task that is being read, and what came for it meanwhile.
struct Loading {
  std::vector<TaskCommand> waiting;  // in order
  bool recovers = false;             // after the start
  bool began = false;
  std::string tenant;  // of a client that waits for it; empty: none does
};

struct Engine::Impl {
  Impl(World w, Options o) : world(std::move(w)), options(o), secret(world.store.secret()) {}

  // engine.cc: the round
  bool pump();
  bool take_some();
  void measure_gate();
  bool is_full();

  // input.cc: what comes in
  bool take_inputs();
  bool take_answers();
  bool take_all(std::vector<Input> inputs);
  void take(NewTask&& input);
  void take(TaskCommand&& input);
  void take(KeepRows&& input);
  void apply(Live& live, const Command& command, Reply reply);
  bool answer_from_earlier(NewTask& input);
  TaskId new_task_id();
  void note_waiting(const Live& task);
  Status judge_and_stow(const std::string& tenant, const std::string& agent_version,
                        AnswerTurn& turn);  // any thread

  void apply(Live& live, TaskCommand&& input);
  void refuse(TaskCommand&& input, const Error& error);

  // load.cc: tasks that are not in memory
  Loading& load(const TaskId& id, const std::string& tenant = {});
  void start_loads();
  void take(Loaded&& input);
  void serve(const TaskId& id, std::vector<TaskCommand> waiting);
  LoadFrom load_from() { return {world.store, world.blobs, secret, world.snapshots}; }

  // snapshotting.cc: what keeps loads short
  void note_growth(Live& task, const Frame& frame);
  void begin_snapshot(Live& task);
  void take(SnapshotWritten&& input);
  void drop_snapshots(const TaskId& id);

  // commit.cc: what becomes durable
  bool commit_if_due();
  void start_commit();
  void commit(const Batch& rows);
  void finish_commit(CommitResult result);
  void drop_refused(const std::vector<TaskId>& refused);
  void note_durable(UnderWay& done);
  void show(const std::vector<Frame>& frames) const;
  size_t count_waits(const UnderWay& done) const;
  void evict(const TaskId& id);

  // release.cc: what goes out
  void hold(Output output);
  void release(Output& output);
  void release_before_durable();
  void plan_inside();
  void plan(const TaskId& id, const Plan& plan);
  void send(const TaskId& id, Send send);
  void take_outcome(const TaskId& id, const std::string& tenant, SettleStep outcome);  // any thread
  void ask(const TaskId& id, const std::string& tenant, Ask question, CallRequest::Asked asked);

  // damaged.cc: tasks that stand still
  void take(DamageFound&& input);
  void take(RowDamaged&& input);
  void take(EndDamaged&& input);
  void refuse(TaskCommand&& input, const Damage& damage);
  void lift_the_whole();
  void examine(const TaskId& id, const std::string& what);

  // recovery.cc: what time and restarts bring
  bool fire_timers();
  bool may_fire() const;
  bool recover_some(size_t tasks_max);
  bool may_recover() const;
  bool end_recovery();
  Result<std::vector<TaskId>> next_to_recover(size_t tasks_max);

  int64_t now_ms() const { return world.clock.unix_ms(); }
  int64_t now_us() const { return world.clock.monotonic_us(); }

  World world;
  const Options options;
  const std::string secret;  // of the store: keys derive from it
  Observer* observer = nullptr;
  Metrics metrics;
  Mailbox mailbox;
  std::atomic<bool> draining{false};
  std::atomic<bool> failed{false};
  bool halted = false;

  std::unordered_map<TaskId, std::unique_ptr<Live>>
      live;  // looked up, never iterated for a decision
  Quarantine quarantine;
  std::unordered_map<TaskId, Loading> loading;  // looked up, never iterated for a decision
  // Of these, those that wait for their turn: by the tenant whose client waits; what timers and
  // recovery want takes turns with those as one. May hold some that have begun or are no more.
  Turns<TaskId> to_load;
  size_t loads_under_way = 0;
  size_t recoveries = 0;                // of `loading`
  std::map<TaskId, bool> snapshotting;  // being written; true: to be dropped then
  std::set<TaskId> waits_outside;       // of those in `live`: for a planner elsewhere, or a person
  OpenBatch open;
  std::optional<UnderWay> under_way;
  std::set<Sha256> damaged_keys;                 // requests whose idempotency row is damaged
  std::vector<IdempotencyRow> late_idempotency;  // only while a bug is planted
  // Submissions that are not durable yet, by (tenant, route, key).
  std::map<std::tuple<std::string, std::string, std::string>, IdempotencyRow> submitting;
  std::deque<std::pair<TaskId, Plan>> plans;  // of planners in this process: not held back
  DueTimers timers;
  ClockWatch clock_watch;
  bool steady = true;  // the clock, when it was last looked at
  Pos next_pos = 0;
  int64_t fire_after_us = 0;     // later than now while the store cannot be read
  int64_t recover_after_us = 0;  // the same
  bool recovering = true;
  bool listed = false;  // the store has named all the tasks to recover
  std::optional<TaskId> recovered_upto;
  std::set<TaskId> unreadable;  // could not be read a moment ago, for a reason that may pass
};

}  // namespace perdure::engine
