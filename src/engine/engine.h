#pragma once
// The shell around the core: mailbox -> apply -> one commit -> release. One thread calls `pump`;
// everything else is thread-safe. It names no planner, no protocol and no store.
#include <functional>
#include <memory>
#include <string>

#include "engine/mailbox.h"
#include "engine/metrics.h"
#include "engine/observer.h"
#include "engine/quarantine.h"
#include "journal/people.h"
#include "ports/blobs.h"
#include "ports/clock.h"
#include "ports/executor.h"
#include "ports/planner.h"
#include "ports/policy.h"
#include "ports/snapshots.h"
#include "ports/store.h"

namespace perdure::core {
struct TaskState;
}

namespace perdure::engine {

struct Options {
  int64_t commit_delay_max_us =
      10'000;  // records that nothing waits for are committed no later than this
  size_t batch_frames_max = 4096;
  size_t mailbox_max = 100'000;  // beyond it new tasks are refused with Code::kUnavailable
  size_t recover_page = 256;     // tasks brought back a time after a restart
  size_t live_max = 50'000;      // recovery pauses while more tasks are at work in memory
  size_t loads_max = 16;         // tasks that are read from the store at once; others wait in order
  // A snapshot is written when what the journal has grown since the last one weighs more than this,
  // and more than half of that one: bytes of frames, and 256 for each record.
  uint64_t snapshot_floor = 256u << 10;
  size_t snapshots_max = 2;  // that are written at once; the next commit of a task asks again
  PeopleRules people{};      // about questions that are asked from now on
};

// What the engine works with. All of it outlives the engine.
struct World {
  Store& store;
  Blobs& blobs;
  Clock& clock;
  Rng& rng;
  Policy& policy;
  std::function<Planner*(const std::string& name)> planner;  // null: there is none of that name
  std::function<Executor*(CallKind kind)> executor;          // never null
  // The store cannot go on. Nothing is acknowledged any more; the process should end.
  std::function<void(std::string why)> on_failure;
  // Runs a piece of work that grows with a task (reading and folding its journal, writing a large
  // result to its file) on another thread, some time; empty: at once. Has run or dropped all of it
  // before the engine is destroyed.
  std::function<void(std::function<void()>)> apart = {};
  Snapshots* snapshots = nullptr;  // null: tasks are folded from their beginning
};

// What a person decides about, as far as the policy has to know it.
struct Decided {
  std::string tenant;
  std::string agent_version;
  std::string tool;  // of the call
  Payload question;  // kQuestion: with its bytes
};

class Engine : public DamageWatch {
 public:
  Engine(World world, Options options);
  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void observe(Observer* observer);  // before the first pump
  // Reads which tasks are damaged; those that are whole again, since a file was copied back or the
  // store was repaired, go on. Before the first pump.
  Status load_damage();

  // Thread-safe. Replies come on the engine's thread.
  void submit(NewTask task);
  // `tenant`: of the client that waits for the reply; empty: none does.
  void command(TaskId task, Command command, Reply reply = {}, const std::string& tenant = {});
  // Writes rows that belong to no task, in the order of the calls.
  void keep(std::vector<KeptRow> rows, Reply reply);
  // A planner's answer that came from outside, with its reply.
  void answer(TaskId task, const std::string& tenant, const std::string& agent_version,
              AnswerTurn turn, Reply reply);
  // A person's decision; what is given with it is judged first.
  void resolve(TaskId task, const Decided& about, Resolve decision, Reply reply);
  // Thread-safe. The task is quarantined if it is not yet.
  Error on_damage(const TaskId& task, Seq record, const std::string& what) override;
  const Quarantine& quarantine() const;
  // What a walk over all rows has found.
  void on_damaged_row(DamagedRow row);
  // A person's word that a damaged task is over. Its journal stays as it is.
  void end_damaged(EndDamaged end);
  // Takes no new tasks, plans no new turns; what is under way goes on.
  void drain();
  const Metrics& metrics() const;
  Mailbox& mailbox();

  // The engine's thread only. Does everything that is at hand; false if there was nothing.
  bool pump();
  // After `drain`: nothing is under way any more.
  bool is_drained() const;
  // The end: waits for the commit that is under way and gives the replies that waited for it. Sends
  // nothing, and leaves everything else as it is. The store then calls no more.
  void halt();
  // For tests: the state of a task that is in memory, with what is not durable yet; else null.
  const core::TaskState* state_of(const TaskId& task) const;
  // Monotonic time at which `pump` has something to do even if nothing comes.
  int64_t next_wake_us() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace perdure::engine
