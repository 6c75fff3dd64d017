#pragma once
// What the durable journals say, read again by other code than the core's: the checkers' own memory
// of every task. Sorted containers: their order reaches the trace.
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "journal/frame.h"
#include "journal/record.h"

namespace perdure::sim {

struct SeenIntent {
  Seq seq = 0;
  int64_t at_ms = 0;
  StepIntended record;
};

struct SeenStep {
  StepPlanned plan;
  Seq planned_seq = 0;
  Sha256 args_hash;    // of the newest decision about them, or of the plan
  Sha256 identity;     // the same
  Seq wished_seq = 0;  // the record that gave it this identity
  std::vector<SeenIntent> intents;
  bool intent_open = false;
  std::optional<EffectState> end;
  Seq end_seq = 0;
  bool asserted = false;  // the end is a person's word
  bool in_doubt = false;  // the newest intent ended in doubt, or a later decision said so
  uint32_t doubts = 0;
  std::vector<std::string> provider_ids;  // under which its calls were accepted
};

struct SeenTask {
  TaskId id;
  TaskCreated created;
  Seq head = 0;
  Sha256 chain;
  Epoch epoch = 0;
  uint64_t turns = 0;
  std::map<uint64_t, Sha256> answers;  // accepted turns
  std::map<StepId, SeenStep> steps;
  std::map<Seq, InterruptRequested> questions;  // open
  std::map<Seq, InterruptRequested> asked;      // ever
  std::map<Seq, int64_t> asked_ms;
  std::map<Seq, InterruptResolved> decisions;  // by question
  std::map<Seq, Seq> decided_at;               // question by record of its decision
  std::map<TimerId, TimerSet> timers;
  Limits limits;
  Usage spent;
  Seq cancel_seq = 0;
  Seq ending_seq = 0;
  std::optional<TaskEnded> ended;
  Seq ended_seq = 0;
  bool acknowledged = false;

  // What open intents may use at most, by what was planned.
  Usage reserved() const;
  bool anything_sent() const;  // an intent without outcome
};

// Adds one durable record. What cannot be is not added: the checkers say it.
void note(SeenTask& task, const Record& record);

// The tag that every submission of the simulator carries in its metadata.
std::string tag_of(const SeenTask& task);

}  // namespace perdure::sim
