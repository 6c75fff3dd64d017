#pragma once
// What the journal of one task means: the fold of its records. Sorted containers, because order can
// be seen. Every member stands in `fields`: a snapshot keeps no other (core/state_layout.h).
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/id.h"
#include "journal/payload.h"
#include "journal/terms.h"

namespace perdure::core {

// An attempt, as people are told of it.
struct SentAttempt {
  uint32_t attempt = 0;
  int64_t at_ms = 0;
  std::optional<Outcome> outcome;  // none: not known yet
  std::string detail;              // of the outcome
  template <class Archive>
  void fields(Archive& a) {
    a("attempt", attempt), a("at_ms", at_ms), a("outcome", outcome), a("detail", detail);
  }
};
// As many of a step's newest attempts are kept at hand; the journal has all.
inline constexpr size_t kSentKept = 10;

// A step that is not closed yet.
struct Step {
  CallKind kind = CallKind::kTool;
  std::string name;
  ExecutedBy executed_by = ExecutedBy::kEngine;
  EffectState state = EffectState::kPlanned;
  Contract contract;
  Usage reserve;
  Usage reserved;         // by the intent that stands
  bool unpriced = false;  // what it costs is not known, and 0 counts
  Payload args;
  Seq planned_seq = 0;
  uint64_t turn = 0;          // that planned it
  uint32_t attempt = 0;       // of the newest intent
  uint32_t not_tried = 0;     // attempts that called nobody: fetches, and those that were held back
  uint32_t paid_in_vain = 0;  // attempts whose answer was lost on the way, or cannot be read
  uint32_t unreadable = 0;    // of these, the latter
  uint32_t group = 0;
  std::string key_check;       // of the key of this group; empty: not known
  int64_t not_after_ms = 0;    // of the attempt group
  bool may_have_run = false;   // some attempt of this group ended in doubt
  bool retry_pending = false;  // a timer will bring the next attempt
  FailureClass failure = FailureClass::kNone;
  Seq interrupt_seq = 0;          // the open question about it
  Seq decision_seq = 0;           // an approval that no intent has consumed
  bool edited = false;            // `args` are those that a person put in place
  uint32_t questions = 0;         // that it has asked while it ran
  std::string provider_id;        // the other side works on under this name
  std::vector<SentAttempt> sent;  // the newest attempts, in order

  template <class Archive>
  void fields(Archive& a) {
    a("kind", kind), a("name", name), a("executed_by", executed_by), a("state", state);
    a("contract", contract), a("reserve", reserve), a("reserved", reserved), a("args", args);
    a("unpriced", unpriced), a("planned_seq", planned_seq), a("turn", turn), a("attempt", attempt);
    a("not_tried", not_tried), a("paid_in_vain", paid_in_vain);
    a("unreadable", unreadable), a("group", group);
    a("key_check", key_check);
    a("not_after_ms", not_after_ms), a("may_have_run", may_have_run);
    a("retry_pending", retry_pending), a("failure", failure), a("interrupt_seq", interrupt_seq);
    a("decision_seq", decision_seq), a("edited", edited), a("questions", questions);
    a("provider_id", provider_id), a("sent", sent);
  }
};

struct ClosedStep {
  EffectState state = EffectState::kDenied;
  Seq seq = 0;  // the record that closed it
  template <class Archive>
  void fields(Archive& a) {
    a("state", state), a("seq", seq);
  }
};

// The engine's own timers; a planner's may not begin with '!'.
inline constexpr std::string_view kRetryTimerPrefix = "!retry/";  // and the step
inline constexpr std::string_view kReplanTimer = "!replan";
inline constexpr std::string_view kAskTimerPrefix = "!ask/";  // and the interrupt's number

struct Timer {
  TimerPurpose purpose = TimerPurpose::kPlanner;
  int64_t due_ms = 0;
  template <class Archive>
  void fields(Archive& a) {
    a("purpose", purpose), a("due_ms", due_ms);
  }
};

struct Interrupt {
  InterruptReason reason = InterruptReason::kToolApproval;
  StepId step;
  std::string message;
  Usage needed;
  Payload question;  // of a call that runs
  int64_t requested_ms = 0;
  Asking asking;           // after an escalation, with all who are asked
  uint32_t reminders = 0;  // that are past
  bool escalated = false;
  template <class Archive>
  void fields(Archive& a) {
    a("reason", reason), a("step", step), a("message", message), a("needed", needed);
    a("question", question);
    a("requested_ms", requested_ms), a("asking", asking), a("reminders", reminders);
    a("escalated", escalated);
  }
};

// A turn that asked a model.
struct ModelTurn {
  uint32_t open = 0;     // calls that have no end yet
  bool counted = false;  // one ended otherwise than failed
  template <class Archive>
  void fields(Archive& a) {
    a("open", open), a("counted", counted);
  }
};

// The last accepted turn, and how the next one fares.
struct Turn {
  uint64_t number = 0;
  Seq upto_seq = 0;
  Sha256 answer_hash;
  bool more = false;
  Await await;
  Payload state;
  uint32_t rejections = 0;      // of the turn that follows
  bool replan_pending = false;  // a timer will bring the next attempt
  Seq interrupt_seq = 0;        // open, and holds the planner up
  uint64_t model_turns = 0;     // turns that are counted
  // This one, and earlier ones with open calls.
  std::map<uint64_t, ModelTurn> asking;
  template <class Archive>
  void fields(Archive& a) {
    a("number", number), a("upto_seq", upto_seq), a("answer_hash", answer_hash), a("more", more);
    a("await", await), a("state", state), a("rejections", rejections);
    a("replan_pending", replan_pending), a("interrupt_seq", interrupt_seq);
    a("model_turns", model_turns), a("asking", asking);
  }
};

struct Ending {
  TaskStatus status = TaskStatus::kFailed;
  StopReason stop_reason = StopReason::kError;
  std::string message;
  Payload result;
  Seq seq = 0;
  template <class Archive>
  void fields(Archive& a) {
    a("status", status), a("stop_reason", stop_reason), a("message", message), a("result", result);
    a("seq", seq);
  }
};

// Late answers that a task keeps as evidence. Whoever repeats one for ever fills no journal.
inline constexpr uint32_t kAnomaliesMax = 100;

struct TaskState {
  TaskId id;
  Seq head = 0;
  int64_t last_ms = 0;
  std::string tenant, principal, planner, agent, agent_version, metadata, session;
  int64_t created_ms = 0;
  Limits limits;
  Usage spent;
  int64_t mended_ms = 0;        // when a person last said that credentials and money are there
  uint32_t unpriced_calls = 0;  // sends that may have cost what nobody knows
  Usage reserved;
  Payload input;
  Turn turn;
  Seq news_seq = 0;  // the newest record that a planner may be waiting for
  std::map<StepId, Step> open;
  std::map<StepId, ClosedStep> closed;
  std::map<TimerId, Timer> timers;
  std::set<TimerId> fired;  // the planner's own
  std::map<Seq, Interrupt> interrupts;
  std::map<Seq, Sha256> decided;  // what was decided, to know a repeat from a contradiction
  std::map<Sha256, std::vector<StepId>> wishes;  // guarded calls by identity
  std::set<Sha256> remembered;  // identities that a person does not want to be asked about
  std::optional<Ending> ending;
  std::optional<Ending> ended;
  bool acknowledged = false;
  uint32_t anomalies = 0;

  template <class Archive>
  void fields(Archive& a) {
    a("id", id), a("head", head), a("last_ms", last_ms), a("tenant", tenant);
    a("principal", principal), a("planner", planner), a("agent", agent);
    a("agent_version", agent_version), a("metadata", metadata), a("created_ms", created_ms);
    a("session", session);
    a("limits", limits), a("spent", spent), a("reserved", reserved), a("input", input);
    a("unpriced_calls", unpriced_calls), a("mended_ms", mended_ms);
    a("turn", turn), a("news_seq", news_seq), a("open", open), a("closed", closed);
    a("timers", timers), a("fired", fired), a("interrupts", interrupts), a("decided", decided);
    a("wishes", wishes), a("remembered", remembered), a("ending", ending), a("ended", ended);
    a("acknowledged", acknowledged), a("anomalies", anomalies);
  }
};

TaskStatus status_of(const TaskState& state);
Phase phase_of(const TaskState& state);
// What counts against Limits::turns.
uint64_t model_turns_of(const TaskState& state);
// Equal for equal states, whatever bytes of payloads are at hand.
Sha256 hash_of(const TaskState& state);
// What is known of a step, open or closed.
std::optional<EffectState> state_of_step(const TaskState& state, const StepId& step);

}  // namespace perdure::core
