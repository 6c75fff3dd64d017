#pragma once
// A checker looks at what is durable, at what left the process and when, and at what the receivers
// counted; never at the engine. Its name is the name of the guarantee: docs/guarantees.md.
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "disk.h"
#include "engine/mailbox.h"
#include "finding.h"
#include "ledger.h"
#include "oracle.h"
#include "schedule.h"

namespace perdure::sim {

// What a planner said, by (task, turn, hash of the answer): "call s1", "timer t1", "note", "end".
using Answers = std::map<std::tuple<TaskId, uint64_t, Sha256>, std::vector<std::string>>;

struct Evidence {
  const std::map<TaskId, SeenTask>& tasks;
  const Disk& disk;
  const Oracle& oracle;
  SimClock& clock;
  const Answers& answers;
  Finding& verdict;

  // Null if nothing of it is durable.
  const SeenTask* task(const TaskId& id) const {
    const auto found = tasks.find(id);
    return found == tasks.end() ? nullptr : &found->second;
  }
};

// A reply that reached a client, and said yes.
struct Ack {
  engine::Submitted result;
  Command command;       // what was asked; Submit: by key and tag
  std::string key, tag;  // Submit
};

class Checker {
 public:
  explicit Checker(const Evidence& evidence) : evidence_(evidence) {}
  virtual ~Checker() = default;

  // Each durable frame and record, when it has just become so; `before` lacks it.
  virtual void on_frame(const SeenTask&, const Frame&, const std::vector<Record>&) {}
  virtual void on_record(const SeenTask&, const Record&) {}
  // Rows and records of one commit are durable.
  virtual void on_commit(const Batch&) {}
  virtual void on_written(const Sent&) {}
  virtual void on_applied(const Sent&) {}
  // A request to a model leaves; `tag` is its task's.
  virtual void on_model_written(const std::string& /*tag*/) {}
  // The same; `step` is empty where the request does not say whose it is.
  virtual void on_step_asks_model(const std::string& /*tag*/, const StepId& /*step*/) {}
  virtual void on_ack(const Ack&) {}
  virtual void at_end() {}

 protected:
  const Evidence& evidence_;
};

using Checkers = std::vector<std::unique_ptr<Checker>>;

void add_journal_checkers(Checkers& to, const Evidence& evidence);
void add_row_checkers(Checkers& to, const Evidence& evidence);
void add_effect_checkers(Checkers& to, const Evidence& evidence);
void add_decision_checkers(Checkers& to, const Evidence& evidence);
void add_turn_checkers(Checkers& to, const Evidence& evidence);
void add_time_checkers(Checkers& to, const Evidence& evidence);
void add_budget_checkers(Checkers& to, const Evidence& evidence);
void add_ack_checkers(Checkers& to, const Evidence& evidence);
void add_damage_checkers(Checkers& to, const Evidence& evidence);

}  // namespace perdure::sim
