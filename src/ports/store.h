#pragma once
// The store: frames, and the rows that let them be found. One engine writes; what is readable is
// durable.
//
// Damage at rest. Frames are chained, and a store knows the head of each open task, so that a tail
// that is gone is told from an end. Every other row carries a digest (ports/row_digest.h). A single
// row that is not what was written is Code::kCorrupt; in a list it stands in its place and says
// `damaged`, with its ids as they are stored and nothing else: one damage hides no other row.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "journal/frame.h"
#include "journal/terms.h"

namespace perdure {

// One row a task. Written with the task's first frame and when its status or its wait changes, not
// at every step. Tenant, principal, planner, agent, session and created_ms never change.
struct TaskRow {
  TaskId id;
  std::string tenant;
  std::string principal;
  TaskStatus status = TaskStatus::kPending;
  Phase phase = Phase::kRunning;
  // False: nothing happens before a timer, a decision or a client; a restart need not look at it.
  bool runnable = true;
  std::string waiting_for;  // JSON array of {kind, ...}; "[]" when it waits for nothing
  std::string planner;
  std::string agent;
  std::string metadata;  // JSON object
  std::string session;   // empty: of none
  Usage used;            // as of this row
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  Seq head = 0;       // as of this row
  Seq ended_seq = 0;  // the task_ended record; 0: not ended
  bool damaged = false;
};

// The answer to a repeated submission. Unique by (tenant, route, key): a row whose key is taken
// refuses its task.
struct IdempotencyRow {
  std::string tenant;
  std::string route;
  std::string key;
  Sha256 request_hash;
  TaskId task;
  int64_t created_ms = 0;
};

struct TimerRow {
  TaskId task;
  TimerId timer;
  int64_t due_ms = 0;
  bool damaged = false;
};

struct InterruptRow {
  TaskId task;
  Seq seq = 0;
  std::string tenant;
  InterruptReason reason = InterruptReason::kToolApproval;
  int64_t created_ms = 0;
  std::vector<std::string> assignees = {};
  std::string shown = {};  // engine/open_question.h; empty in a row of before there was that
  bool damaged = false;
};

// All rows of one task, as of one instant.
struct TaskRows {
  std::optional<TaskRow> task;
  std::vector<TimerRow> timers;          // by name
  std::vector<InterruptRow> interrupts;  // open ones, by seq
};

// What a client gave the server to keep that is no task: a version of an agent, a credential. Few
// and small; all of a kind are read when the server starts.
struct KeptRow {
  std::string kind;
  std::string tenant;
  std::string name;   // unique by (kind, tenant, name); not empty
  std::string value;  // empty: there is no such row any more
  bool damaged = false;
};

// What one commit writes: all of it or nothing. Timers are cleared before others are set: a name in
// both is set. Interrupts are opened, or their rows replaced, before others are closed: an id in
// both is closed.
struct Batch {
  std::vector<Frame> frames;   // pos rising, above every earlier one; at most one a task
  std::vector<TaskRow> tasks;  // each replaces the row of its task
  // The same, but for rows that are not what was written: also what never changes is written anew.
  std::vector<TaskRow> rebuilt;
  std::vector<IdempotencyRow> idempotency;  // of tasks that have a row, here or before
  std::vector<TimerRow> timers_set;
  std::vector<TimerRow> timers_cleared;  // due_ms is not looked at
  std::vector<InterruptRow> interrupts_opened;
  std::vector<InterruptRow> interrupts_closed;  // task and seq are looked at
  std::vector<KeptRow> kept;  // in order: each replaces, or removes, the row of its name

  bool empty() const { return frames.empty() && kept.empty() && rebuilt.empty(); }
};

struct CommitResult {
  enum class Kind : uint8_t {
    kDurable,
    kRefused,  // the named tasks are fenced or have another head; nothing was written; commit the
               // rest again
    kUnknown,  // durable or not: ask `contains` before anything depends on it
    kFailed,   // the store cannot go on; nobody is acknowledged
  };
  Kind kind = Kind::kDurable;
  std::vector<TaskId> refused;  // in the order of the batch, each once
  std::string message;
};

struct TaskQuery {
  std::string tenant;
  std::optional<TaskStatus> status;
  std::string session;           // empty: any, and none
  std::string label;             // ports/label.h; empty: any, and none
  std::optional<TaskId> before;  // newest first; tasks older than this one
  size_t limit = 50;
};

// Open ones in order of (task, seq), which is that of their tasks' creation.
struct InterruptQuery {
  std::string tenant;
  // Those that name it, and those whose row does not say whom it names (`shown` is empty).
  std::optional<std::string> assignee;
  std::optional<TaskId> task;
  std::optional<InterruptId> after;
  size_t limit = 50;
};

// Whether it is one of those; `after` and `limit` are not looked at.
inline bool wants(const InterruptQuery& query, const InterruptRow& row) {
  if (row.tenant != query.tenant || (query.task && row.task != *query.task)) return false;
  if (!query.assignee || row.shown.empty()) return true;
  return std::find(row.assignees.begin(), row.assignees.end(), *query.assignee) !=
         row.assignees.end();
}

// How much there is of what is open.
struct StoreCounts {
  std::map<TaskStatus, uint64_t> tasks;  // not ended
  std::map<InterruptReason, uint64_t> interrupts;
  uint64_t timers = 0;
  uint64_t timers_due = 0;  // of these
};

// A row that is not what was written, as a walk over all rows has found it.
struct DamagedRow {
  std::string table;
  TaskId task;          // as the row has it
  Sha256 request_hash;  // of an idempotency row
};
struct ScrubPage {
  std::vector<DamagedRow> damaged;
  std::string next;  // the cursor that goes on; empty: that was all
};

// Reads. Thread-safe; every call sees durable state only.
class StoreReader {
 public:
  virtual ~StoreReader() = default;

  virtual Result<std::optional<TaskRow>> task(const TaskId& id) = 0;
  virtual Result<std::vector<TaskRow>> tasks(const TaskQuery& query) = 0;
  virtual Result<TaskRows> rows_of(const TaskId& id) = 0;
  // Whole frames that hold records from `from_seq` on, in order, as many as have `max_bytes` of
  // bodies together (at least one frame, if there is one). The chain is not verified here
  // (journal/frame.h), but a journal that ends before its head is kCorrupt.
  virtual Result<std::vector<Frame>> frames(const TaskId& id, Seq from_seq, size_t max_bytes) = 0;
  // The same, whatever is damaged: for what can still be read. Frames whose columns cannot be read
  // are left out.
  virtual Result<std::vector<Frame>> frames_as_they_are(const TaskId& id, Seq from_seq,
                                                        size_t max_bytes) {
    return frames(id, from_seq, max_bytes);
  }
  virtual Result<std::optional<IdempotencyRow>> idempotency(const std::string& tenant,
                                                            const std::string& route,
                                                            const std::string& key) = 0;
  virtual Result<std::vector<InterruptRow>> interrupts(const InterruptQuery& query) = 0;
  // In order of (due_ms, task, timer), due at or before `until_ms`. A damaged row has its due_ms.
  virtual Result<std::vector<TimerRow>> timers_due(int64_t until_ms, size_t limit) = 0;
  // Tasks with runnable = true, by id, after `after`.
  virtual Result<std::vector<TaskId>> runnable(std::optional<TaskId> after, size_t limit) = 0;
  // The frames of all tasks behind `after`, in order of pos, as `frames` bounds them.
  virtual Result<std::vector<Frame>> frames_after(Pos after, size_t max_bytes) = 0;
  // Looks at an index entry of everything that is open: not for every request.
  virtual Result<StoreCounts> counts(int64_t now_ms) = 0;
  // Of one kind, in order of (tenant, name), behind those of `after`; its kind and value are not
  // looked at.
  virtual Result<std::vector<KeptRow>> kept(const std::string& kind,
                                            const std::optional<KeptRow>& after, size_t limit) = 0;
  // A walk over all rows of tasks, some at a time: what a damaged row hides from every other read
  // (a timer that is due in a thousand years) is found here. `cursor`: empty at the beginning.
  virtual Result<ScrubPage> scrub(const std::string& cursor, size_t rows_max) = 0;
};

class Store : public StoreReader {
 public:
  // Asynchronous: `done` is called once, on any thread, possibly before this returns; `batch` stays
  // until then. One commit is
  // under way at a time. Frames are refused unless they follow the head of their task and their
  // epoch is not smaller.
  virtual void commit(const Batch& batch, std::function<void(CommitResult)> done) = 0;
  // After kUnknown: whether this frame is durable.
  virtual Result<bool> contains(const Frame& frame) = 0;

  virtual Epoch epoch() const = 0;   // raised durably when the store was opened
  virtual Pos last_pos() const = 0;  // at open
  virtual std::string secret()
      const = 0;  // 32 random bytes, made with the store; keys derive from it
};

}  // namespace perdure
