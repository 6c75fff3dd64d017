#pragma once
// Commands: everything that can be asked of one task. A closed set, plain data, parsed and bounded
// at the edge.
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "journal/payload.h"
#include "journal/terms.h"

namespace perdure {

struct Submit {
  std::string tenant;
  std::string principal;
  std::string planner;
  std::string agent;
  std::string agent_version;
  std::string metadata = "{}";
  Limits limits;
  Payload input;
  std::string session{};
};

// The actions of a turn.
struct CallAction {
  StepId step;
  CallKind kind = CallKind::kTool;
  std::string name;
  ExecutedBy executed_by = ExecutedBy::kEngine;
  Payload args;
  // Set by whoever knows the operator's configuration, before the command reaches the core.
  Contract contract;
  Verdict verdict = Verdict::kAsk;
  std::string verdict_reason;
  Sha256 identity;
  Usage reserve;
  bool unpriced = false;  // a model without a price
  // ExecutedBy::kPlanner: what the planner's own run gave.
  Outcome outcome = Outcome::kSucceeded;
  Payload result;
  std::string detail;
  uint32_t attempts_max = 0;  // fewer than the contract has; 0: those of the contract
};

struct TimerAction {
  TimerId timer;
  int64_t after_ms = 0;  // from now; or
  int64_t at_ms = 0;     // unix time, if not zero
};

struct NoteAction {
  Payload note;
};

// What somebody says with a command: why a task fails or is cancelled, what a decision adds.
inline constexpr size_t kRemarkMaxBytes = 4096;

// The tool by which a model asks a person.
inline constexpr std::string_view kAskTool = "ask_person";
inline constexpr size_t kQuestionMaxBytes = 4096;  // the message of a question

// A step that a person does: the answer is its result.
struct AskAction {
  StepId step;
  std::string name;     // of the tool that the model called
  std::string message;  // the question
  Payload args;         // {"question", "choices"?, "schema"?}
};

// The planner cannot go on alone: kLoopDetected, kProviderRefusal, kAuthRequired. Approving lets it
// plan again, rejecting ends the task.
struct InterruptAction {
  InterruptReason reason = InterruptReason::kLoopDetected;
  std::string message;
};

struct CompleteAction {
  Payload result;
  StopReason stop_reason = StopReason::kEndTurn;
};

struct FailAction {
  StopReason stop_reason = StopReason::kError;
  std::string message;
};

using Action = std::variant<CallAction, TimerAction, NoteAction, CompleteAction, FailAction,
                            AskAction, InterruptAction>;
inline constexpr size_t kActionsMax = 1000;  // of one turn

// A planner's answer to Plan{turn, upto_seq}.
struct AnswerTurn {
  uint64_t turn = 0;
  Seq upto_seq = 0;
  std::string planner_version;
  Sha256 answer_hash;
  bool guarded = false;  // the calls were proposed by a model
  bool more = false;
  Await await;
  Payload state;
  std::vector<Action> actions;
};

// The planner failed, answered something that cannot be read, or did not answer in time.
struct RejectTurn {
  uint64_t turn = 0;
  Seq upto_seq = 0;
  std::string reason;
};

struct SettleStep {
  StepId step;
  uint32_t attempt = 0;
  Outcome outcome = Outcome::kInDoubt;
  FailureClass failure = FailureClass::kNone;
  std::string detail;
  int64_t retry_after_ms = 0;
  std::optional<Usage> used;
  Payload result;
};

// A call that runs asks a person something; the answer goes back to whoever runs it. One question
// of a step at a time, and a few in its life.
struct Ask {
  StepId step;
  uint32_t attempt = 0;
  std::string message;
  Payload question;  // {"question", "choices"?, "schema"?}
};
inline constexpr uint32_t kQuestionsMax = 8;

// The other side took the call of an open intent and works on under this name.
struct NoteProviderId {
  StepId step;
  uint32_t attempt = 0;
  std::string provider_id;
};
inline constexpr size_t kProviderIdMaxBytes = 256;

// The call that asked wants no answer any more, and goes on.
struct Withdraw {
  StepId step;
  uint32_t attempt = 0;
};

struct FireTimer {
  TimerId timer;
};

struct Resolve {
  Seq interrupt_seq = 0;
  Decision decision = Decision::kApprove;
  std::string by;
  std::string message;
  bool remember = false;
  Usage add;
  Payload given;    // kHappened: the result; kEdit: the arguments; kRespond: the answer
  Sha256 identity;  // kEdit: set by whoever knows the operator's configuration
  // The arguments that the person saw; empty: not checked.
  std::optional<Sha256> args_hash;
};

struct Cancel {
  std::string by;
  std::string reason;
};

struct Acknowledge {
  std::string by;
};

// The first command after a task was read from the store: what stands in INTENT was sent by a
// process that is gone.
struct Recover {};

using Command = std::variant<Submit, AnswerTurn, RejectTurn, SettleStep, FireTimer, Resolve, Cancel,
                             Acknowledge, Recover, Ask, NoteProviderId, Withdraw>;

}  // namespace perdure
