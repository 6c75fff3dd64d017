#pragma once
// The records of a task's journal: a closed set. State is the fold of `evolve` over them and
// nothing else. Layout is fixed by (type, version): docs/journal.md. A new field raises the
// version (kVersion; 1 where nothing is said), and is read only where `since` says so; golden files
// hold the old.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "journal/payload.h"
#include "journal/terms.h"

namespace perdure {

struct TaskCreated {
  static constexpr uint32_t kType = 1;
  static constexpr uint32_t kVersion = 2;
  static constexpr std::string_view kName = "task_created";
  std::string tenant;
  std::string principal;
  std::string planner;  // which planner drives it
  std::string agent;    // name and content version of the agent file; empty for a script
  std::string agent_version;
  std::string metadata;  // the client's, a JSON object
  Limits limits;
  Payload input;
  std::string session{};  // the client's name for what this task belongs to; may be empty
  template <class Archive>
  void fields(Archive& a) {
    a("tenant", tenant), a("principal", principal), a("planner", planner), a("agent", agent);
    a("agent_version", agent_version), a("metadata", metadata), a("limits", limits);
    a("input", input);
    if (a.since(2)) a("session", session);
  }
};

// A planner's answer was accepted. The records of its actions follow in the same commit.
struct TurnAccepted {
  static constexpr uint32_t kType = 2;
  static constexpr std::string_view kName = "turn_accepted";
  uint64_t turn = 0;  // from 1
  Seq upto_seq = 0;   // the newest record that the planner had seen
  std::string planner_version;
  Sha256 answer_hash;  // a repeat of the same answer is acknowledged
  uint32_t actions = 0;
  bool more = false;  // plan again at once
  Await await;
  Payload state;  // the planner's own, opaque
  template <class Archive>
  void fields(Archive& a) {
    a("turn", turn), a("upto_seq", upto_seq), a("planner_version", planner_version);
    a("answer_hash", answer_hash), a("actions", actions), a("more", more), a("await", await);
    a("state", state);
  }
};

// An answer was malformed, the planner failed, or its lease ended. The turn stays open for another
// attempt.
struct TurnRejected {
  static constexpr uint32_t kType = 3;
  static constexpr std::string_view kName = "turn_rejected";
  uint64_t turn = 0;
  uint32_t attempt = 0;
  std::string reason;
  template <class Archive>
  void fields(Archive& a) {
    a("turn", turn), a("attempt", attempt), a("reason", reason);
  }
};

struct StepPlanned {
  static constexpr uint32_t kType = 4;
  static constexpr uint32_t kVersion = 2;
  static constexpr std::string_view kName = "step_planned";
  StepId step;
  CallKind kind = CallKind::kTool;
  std::string name;  // of the tool or the configured model
  ExecutedBy executed_by = ExecutedBy::kEngine;
  bool guarded = false;  // proposed by a model: an equal wish is asked about
  Sha256 identity;       // guarded: what makes two calls the same wish
  Verdict verdict = Verdict::kAsk;
  std::string verdict_reason;
  Contract contract;
  Usage reserve;  // at most this much is used by one send
  Payload args;
  bool unpriced = false;  // the operator gave no price: what it costs is not known, and 0 counts
  template <class Archive>
  void fields(Archive& a) {
    a("step", step), a("kind", kind), a("name", name), a("executed_by", executed_by);
    a("guarded", guarded), a("identity", identity), a("verdict", verdict);
    a("verdict_reason", verdict_reason), a("contract", contract), a("reserve", reserve);
    a("args", args);
    if (a.since(2)) a("unpriced", unpriced);
  }
};

// From here on the effect may have happened. Durable before the first byte leaves.
struct StepIntended {
  static constexpr uint32_t kType = 5;
  static constexpr uint32_t kVersion = 3;
  static constexpr std::string_view kName = "step_intended";
  StepId step;
  uint32_t attempt = 0;      // from 1, over the step's whole life
  uint32_t group = 0;        // sends of one group carry the same key
  int64_t not_after_ms = 0;  // no send of this attempt at or after this time; 0: no such limit
  Seq decision_seq = 0;      // the approval that this send consumes; 0: none was needed
  Usage reserved;
  Sha256 args_hash{};  // of the arguments that a person put in place; zero: those of the plan
  // Tells the key that it goes out under (journal/key.h), so that a store with another secret sends
  // nothing again; empty: not kept yet by the version that wrote this.
  std::string key_check{};
  template <class Archive>
  void fields(Archive& a) {
    a("step", step), a("attempt", attempt), a("group", group), a("not_after_ms", not_after_ms);
    a("decision_seq", decision_seq), a("reserved", reserved);
    if (a.since(2)) a("args_hash", args_hash);
    if (a.since(3)) a("key_check", key_check);
  }
};

// What came back, or that nothing did.
struct StepSettled {
  static constexpr uint32_t kType = 6;
  static constexpr std::string_view kName = "step_settled";
  StepId step;
  uint32_t attempt = 0;
  Outcome outcome = Outcome::kInDoubt;
  FailureClass failure = FailureClass::kNone;
  std::string detail;          // for people: what was seen
  int64_t retry_after_ms = 0;  // as the other side asked; 0: it did not
  std::optional<Usage> used;   // absent: unknown, settled at the reservation
  Payload result;
  template <class Archive>
  void fields(Archive& a) {
    a("step", step), a("attempt", attempt), a("outcome", outcome), a("failure", failure);
    a("detail", detail), a("retry_after_ms", retry_after_ms), a("used", used), a("result", result);
  }
};

// The engine's own decision about a step, without an answer from outside.
struct StepClosed {
  static constexpr uint32_t kType = 7;
  static constexpr std::string_view kName = "step_closed";
  StepId step;
  EffectState state = EffectState::kDenied;
  std::string reason;
  StepId same_as;  // the earlier equal call whose outcome stands for this one
  template <class Archive>
  void fields(Archive& a) {
    a("step", step), a("state", state), a("reason", reason), a("same_as", same_as);
  }
};

struct TimerSet {
  static constexpr uint32_t kType = 8;
  static constexpr std::string_view kName = "timer_set";
  TimerId timer;
  TimerPurpose purpose = TimerPurpose::kPlanner;
  int64_t due_ms = 0;
  template <class Archive>
  void fields(Archive& a) {
    a("timer", timer), a("purpose", purpose), a("due_ms", due_ms);
  }
};

struct TimerFired {
  static constexpr uint32_t kType = 9;
  static constexpr std::string_view kName = "timer_fired";
  TimerId timer;
  TimerPurpose purpose = TimerPurpose::kPlanner;
  template <class Archive>
  void fields(Archive& a) {
    a("timer", timer), a("purpose", purpose);
  }
};

struct TimerCleared {
  static constexpr uint32_t kType = 10;
  static constexpr std::string_view kName = "timer_cleared";
  TimerId timer;
  TimerPurpose purpose = TimerPurpose::kPlanner;
  template <class Archive>
  void fields(Archive& a) {
    a("timer", timer), a("purpose", purpose);
  }
};

// A person is asked. The id is (task, sequence number of this record).
struct InterruptRequested {
  static constexpr uint32_t kType = 11;
  static constexpr uint32_t kVersion = 2;
  static constexpr std::string_view kName = "interrupt_requested";
  InterruptReason reason = InterruptReason::kToolApproval;
  StepId step;          // empty: the question is about the task
  std::string message;  // what happened and what is asked
  Usage needed;         // kBudgetReached: what the next call would reserve
  Asking asking{};
  Payload question{};  // kQuestion of a call that runs: {"question", "choices"?, "schema"?}
  template <class Archive>
  void fields(Archive& a) {
    a("reason", reason), a("step", step), a("message", message), a("needed", needed);
    if (a.since(2)) a("asking", asking), a("question", question);
  }
};

struct InterruptResolved {
  static constexpr uint32_t kType = 12;
  static constexpr uint32_t kVersion = 2;
  static constexpr std::string_view kName = "interrupt_resolved";
  Seq interrupt_seq = 0;
  Decision decision = Decision::kWithdrawn;
  std::string by;
  std::string message;
  bool remember = false;  // kPossibleDuplicate, approve: do not ask again for this identity
  Usage add;              // kBudgetReached, approve
  Payload given;          // kHappened: the result; kEdit: the arguments; kRespond: the answer
  bool expired = false;   // nobody decided in time: this is what was declared for that case
  Sha256 identity{};      // kEdit: of the call as it is now
  template <class Archive>
  void fields(Archive& a) {
    a("interrupt_seq", interrupt_seq), a("decision", decision), a("by", by), a("message", message);
    a("remember", remember), a("add", add), a("given", given);
    if (a.since(2)) a("expired", expired), a("identity", identity);
  }
};

struct CancelRequested {
  static constexpr uint32_t kType = 13;
  static constexpr std::string_view kName = "cancel_requested";
  std::string by;
  std::string reason;
  template <class Archive>
  void fields(Archive& a) {
    a("by", by), a("reason", reason);
  }
};

// The end is decided, and waits for intents that were already sent.
struct TaskEnding {
  static constexpr uint32_t kType = 14;
  static constexpr std::string_view kName = "task_ending";
  TaskStatus status = TaskStatus::kFailed;
  StopReason stop_reason = StopReason::kError;
  std::string message;
  Payload result;
  template <class Archive>
  void fields(Archive& a) {
    a("status", status), a("stop_reason", stop_reason), a("message", message), a("result", result);
  }
};

struct TaskEnded {
  static constexpr uint32_t kType = 15;
  static constexpr std::string_view kName = "task_ended";
  TaskStatus status = TaskStatus::kFailed;
  StopReason stop_reason = StopReason::kError;
  std::string message;
  Payload result;
  template <class Archive>
  void fields(Archive& a) {
    a("status", status), a("stop_reason", stop_reason), a("message", message), a("result", result);
  }
};

// The client has the result: retention may begin.
struct TaskAcknowledged {
  static constexpr uint32_t kType = 16;
  static constexpr std::string_view kName = "task_acknowledged";
  std::string by;
  template <class Archive>
  void fields(Archive& a) {
    a("by", by);
  }
};

// Something came that changes nothing: an answer after the step was closed, an outcome of an older
// attempt.
struct AnomalyNoted {
  static constexpr uint32_t kType = 17;
  static constexpr std::string_view kName = "anomaly_noted";
  StepId step;
  uint32_t attempt = 0;
  std::string what;
  Payload evidence;
  template <class Archive>
  void fields(Archive& a) {
    a("step", step), a("attempt", attempt), a("what", what), a("evidence", evidence);
  }
};

// A planner's own note.
struct Noted {
  static constexpr uint32_t kType = 18;
  static constexpr std::string_view kName = "noted";
  Payload note;
  template <class Archive>
  void fields(Archive& a) {
    a("note", note);
  }
};

// A call that is under way is known on the other side under this name: its answer can be fetched.
struct StepProgressed {
  static constexpr uint32_t kType = 22;
  static constexpr std::string_view kName = "step_progressed";
  StepId step;
  uint32_t attempt = 0;
  std::string provider_id;
  template <class Archive>
  void fields(Archive& a) {
    a("step", step), a("attempt", attempt), a("provider_id", provider_id);
  }
};

// Type 19 is reserved for the genesis record of compaction: the state that stands for pruned
// records.
inline constexpr uint32_t kReservedGenesisType = 19;

// A question is still open, and those who are asked are told once more.
struct InterruptReminded {
  static constexpr uint32_t kType = 20;
  static constexpr std::string_view kName = "interrupt_reminded";
  Seq interrupt_seq = 0;
  uint32_t reminders = 0;  // so many of them are past now
  template <class Archive>
  void fields(Archive& a) {
    a("interrupt_seq", interrupt_seq), a("reminders", reminders);
  }
};

// Nobody has answered, and others are asked too.
struct InterruptEscalated {
  static constexpr uint32_t kType = 21;
  static constexpr std::string_view kName = "interrupt_escalated";
  Seq interrupt_seq = 0;
  std::vector<std::string> to;
  template <class Archive>
  void fields(Archive& a) {
    a("interrupt_seq", interrupt_seq), a("to", to);
  }
};

using RecordBody =
    std::variant<TaskCreated, TurnAccepted, TurnRejected, StepPlanned, StepIntended, StepSettled,
                 StepClosed, TimerSet, TimerFired, TimerCleared, InterruptRequested,
                 InterruptResolved, CancelRequested, TaskEnding, TaskEnded, TaskAcknowledged,
                 AnomalyNoted, Noted, InterruptReminded, InterruptEscalated, StepProgressed>;

template <class Body>
constexpr uint32_t version_of() {
  if constexpr (requires { Body::kVersion; }) return Body::kVersion;
  return 1;
}

struct Record {
  Seq seq = 0;
  int64_t at_ms =
      0;  // unix time by the store's clock; never smaller than that of the record before
  RecordBody body;
};

std::string_view name_of(const RecordBody& body);
// The one payload of the record, or null.
const Payload* payload_of(const RecordBody& body);
Payload* payload_of(RecordBody& body);

}  // namespace perdure
