#pragma once
// The core: one task, one command at a time. Pure: no I/O, no clock, no thread, no randomness, no
// log.
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/state.h"
#include "journal/command.h"
#include "journal/effect.h"
#include "journal/people.h"
#include "journal/record.h"

namespace perdure::core {

// The turn that a planner is working on. Not recorded: asked anew after a restart.
struct OpenPlan {
  bool open = false;
  uint64_t turn = 0;
  Seq upto_seq = 0;
};

struct Task {
  TaskState state;
  OpenPlan plan;
  // What stood in INTENT when the state was read belongs to a process that is gone; until Recover
  // has been applied nothing else may be.
  bool recovered = false;
};

struct Accepted {
  bool repeated = false;  // the same command had been accepted before; nothing was appended
  Seq head = 0;
  Seq asked = 0;  // Ask: the interrupt that it became
};

struct Applied {
  std::vector<Record> records;  // in order; all of them in one commit
  std::vector<Effect> effects;  // none before the records are durable
  Result<Accepted> reply = Accepted{};
};

// Applies a command to the task and says what follows. `now_ms` is the store's clock, unix time;
// `people` is what the operator says about questions that are asked now; the keys of calls derive
// from `secret`.
// The task has evolved when this returns: if the records cannot be committed, it must be dropped
// and read again.
Applied apply(Task& task, const Command& command, int64_t now_ms, const PeopleRules& people = {},
              std::string_view secret = {});

// True while nothing happens before a timer, a decision or a client: such a task needs no memory.
bool is_suspended(const Task& task);

// True while one of its calls waits for a person, and stays in memory for it.
bool asks_a_person(const TaskState& state);

}  // namespace perdure::core
