#pragma once
// What reaches the engine: any thread puts, the engine's thread takes all at once.
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "engine/damage.h"
#include "journal/command.h"
#include "ports/store.h"

namespace perdure::engine {

struct Submitted {
  TaskId task;
  bool repeated = false;
  Seq head = 0;
  Seq asked = 0;  // Ask: the interrupt that it became
};
// Called once, on the engine's thread, when what it says is durable.
using Reply = std::function<void(Result<Submitted>)>;

struct IdempotencyKey {
  std::string route;
  std::string key;
  Sha256 request_hash;
};

struct NewTask {
  Submit submit;
  std::optional<IdempotencyKey> idempotency;
  Reply reply;
};

struct TaskCommand {
  TaskId task;
  Command command;
  Reply reply;              // may be empty
  std::string tenant = {};  // of the client that waits for it; empty: none does
};

// Rows that belong to no task.
struct KeepRows {
  std::vector<KeptRow> rows;
  Reply reply;  // of no task
};

// Somebody read what was not written; or the load that found it.
struct DamageFound {
  TaskId task;
  Seq record = 0;
  std::string what;
};

struct Read;

// What a task was at some record was written down, or could not be.
struct SnapshotWritten {
  TaskId task;
  uint64_t size_bytes = 0;  // 0: it could not be
};

// A task was read from the store.
struct Loaded {
  TaskId task;
  std::shared_ptr<Read> read;  // taken once
};

// A row of the store that was found to be damaged: is its task?
struct RowDamaged {
  DamagedRow row;
};

// A person ends a damaged task.
struct EndDamaged {
  Damage damage;                         // with its end
  TaskRow row;                           // that it has from now on
  std::vector<TimerRow> timers;          // that it had
  std::vector<InterruptRow> interrupts;  // the same
  Reply reply;
};

using Input = std::variant<NewTask, TaskCommand, KeepRows, DamageFound, RowDamaged, EndDamaged,
                           Loaded, SnapshotWritten>;

class Mailbox {
 public:
  void put(Input input);
  // What has come, in order, at most `max`; empty if nothing has.
  std::vector<Input> take(size_t max);
  // The answer of a planner in this process, apart from the rest: it completes what was taken.
  void put_answer(Input input);
  std::vector<Input> take_answers();
  // The end of the one commit that is under way; it goes before all other input.
  void put_commit(CommitResult result);
  std::optional<CommitResult> take_commit();
  bool has_commit();
  // Until something comes or `timeout_us` have passed. Real threads only: a simulator never waits.
  void wait(int64_t timeout_us);
  void wake();
  size_t size();

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Input> inputs_;
  std::vector<Input> answers_;
  std::optional<CommitResult> commit_;
  bool sleeping_ = false;
  bool woken_ = false;
};

}  // namespace perdure::engine
