#pragma once
// The words of the journal: small types that records, commands and the core share. Numbers are
// stored: append only, never reuse. docs/glossary.md has their meaning.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perdure {

// The planner's name for a step or a timer: opaque, 1 to 128 bytes, unique in its task.
using StepId = std::string;
using TimerId = std::string;
inline constexpr size_t kNameMaxBytes = 128;

enum class TaskStatus : uint8_t {
  kPending,
  kWorking,
  kInputRequired,
  kCompleted,
  kFailed,
  kCancelled
};
constexpr TaskStatus last_of(TaskStatus) {
  return TaskStatus::kCancelled;
}
constexpr bool is_terminal(TaskStatus status) {
  return status >= TaskStatus::kCompleted;
}

// What a task does while its status is `working`.
enum class Phase : uint8_t {
  kRunning,
  kFinishing,   // its end is decided; intents that were sent before still need their outcome
  kCancelling,  // the same, and the end is a cancel
};
constexpr Phase last_of(Phase) {
  return Phase::kCancelling;
}

enum class CallKind : uint8_t { kModel, kTool };
constexpr CallKind last_of(CallKind) {
  return CallKind::kTool;
}

// Who runs a call: the engine, behind a durable intent; the planner itself, before it answered; or
// a person, who is asked for the result.
enum class ExecutedBy : uint8_t { kEngine, kPlanner, kPerson };
constexpr ExecutedBy last_of(ExecutedBy) {
  return ExecutedBy::kPerson;
}

// From the most harmless to the strictest.
enum class EffectClass : uint8_t { kRead, kRepeat, kIdempotent, kProbe, kOnce };
constexpr EffectClass last_of(EffectClass) {
  return EffectClass::kOnce;
}
// By its owner's word no harm is done if a call of this class runs more than once, or is stopped.
constexpr bool may_run_again(EffectClass effect) {
  return effect == EffectClass::kRead || effect == EffectClass::kRepeat;
}
// What may have arrived is sent again only where that is harmless: it may run again, or its
// receiver knows the key.
constexpr bool may_be_resent(EffectClass effect) {
  return may_run_again(effect) || effect == EffectClass::kIdempotent;
}

enum class OnDoubt : uint8_t { kAsk, kError };
constexpr OnDoubt last_of(OnDoubt) {
  return OnDoubt::kError;
}

enum class Verdict : uint8_t { kAllow, kAsk, kDeny };
constexpr Verdict last_of(Verdict) {
  return Verdict::kDeny;
}

// docs/guarantees.md, "The states of an effect".
enum class EffectState : uint8_t {
  kPlanned,
  kDenied,
  kAwaitingApproval,
  kReady,
  kIntent,
  kSucceeded,
  kFailed,
  kNotSent,
  kDeferred,
  kInDoubt,
  kNeedsHuman,
  kUnknown,
  kCompensated,  // its place in the machine; nothing leads there yet
};
constexpr EffectState last_of(EffectState) {
  return EffectState::kCompensated;
}
constexpr bool is_terminal(EffectState state) {
  return state == EffectState::kDenied || state == EffectState::kSucceeded ||
         state == EffectState::kFailed || state == EffectState::kUnknown ||
         state == EffectState::kCompensated;
}

enum class Outcome : uint8_t { kSucceeded, kFailed, kNotSent, kDeferred, kInDoubt };
constexpr Outcome last_of(Outcome) {
  return Outcome::kInDoubt;
}

enum class FailureClass : uint8_t {
  kNone,
  kTransient,
  kRateLimit,
  kQuota,
  kAuth,
  kInvalid,
  kContextOverflow,
  kTooLarge,
  kRefusal,
  kTruncated,
  kContinue,
  kMalformedOutput,
  kAmbiguous,
};
constexpr FailureClass last_of(FailureClass) {
  return FailureClass::kAmbiguous;
}

enum class InterruptReason : uint8_t {
  kToolApproval,
  kQuestion,
  kUncertainOutcome,
  kPossibleDuplicate,
  kBudgetReached,
  kLoopDetected,
  kPlannerFailed,
  kProviderRefusal,
  kAuthRequired,
};
constexpr InterruptReason last_of(InterruptReason) {
  return InterruptReason::kAuthRequired;
}

enum class Decision : uint8_t {
  kApprove,
  kReject,
  kHappened,
  kNotHappened,
  kDismiss,
  kWithdrawn,  // by the engine: the question lost its point before anybody decided
  kEdit,       // the call is made with other arguments
  kRespond,    // the call is not made; this is its result
};
constexpr Decision last_of(Decision) {
  return Decision::kRespond;
}

// What stands for the decision when nobody has decided in time.
enum class OnExpire : uint8_t {
  kReject,
  kApprove,
  kRespond,
  kDismiss,  // kUncertainOutcome: it stays unknown
  kFail,     // the task fails
};
constexpr OnExpire last_of(OnExpire) {
  return OnExpire::kFail;
}

enum class StopReason : uint8_t {
  kEndTurn,
  kMaxTurns,
  kRefusal,
  kContextOverflow,
  kRetriesExhausted,
  kCancelled,
  kExpired,
  kCompensated,
  kBudget,
  kPlannerFailed,
  kError,
};
constexpr StopReason last_of(StopReason) {
  return StopReason::kError;
}

// kAsk: of an open question, for its reminders, its escalation and its expiry.
enum class TimerPurpose : uint8_t { kPlanner, kRetry, kReplan, kAsk };
constexpr TimerPurpose last_of(TimerPurpose) {
  return TimerPurpose::kAsk;
}

std::string_view to_string(TaskStatus);
std::string_view to_string(Phase);
std::string_view to_string(CallKind);
std::string_view to_string(ExecutedBy);
std::string_view to_string(EffectClass);
std::string_view to_string(OnDoubt);
std::string_view to_string(Verdict);
std::string_view to_string(EffectState);
std::string_view to_string(Outcome);
std::string_view to_string(FailureClass);
std::string_view to_string(InterruptReason);
std::string_view to_string(Decision);
std::string_view to_string(OnExpire);
std::string_view to_string(StopReason);
std::string_view to_string(TimerPurpose);

// Money is whole millionths of a US dollar: no floating point enters a decision.
using MicroUsd = int64_t;
inline constexpr int64_t kUnlimited = -1;

// The nearest number there is, where the sum is none.
constexpr int64_t capped_sum(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? INT64_MAX : INT64_MIN;
}

// What a task may use in its whole life.
struct Limits {
  MicroUsd cost_micro_usd = kUnlimited;
  int64_t model_calls = kUnlimited;
  int64_t tool_calls = kUnlimited;
  int64_t turns = kUnlimited;  // that ask a model, but for those whose every call failed

  template <class Archive>
  void fields(Archive& a) {
    a("cost_micro_usd", cost_micro_usd);
    a("model_calls", model_calls);
    a("tool_calls", tool_calls);
    a("turns", turns);
  }
};

// What one call will use at most, or what a task has used. Tokens are counted, not limited.
struct Usage {
  MicroUsd cost_micro_usd = 0;
  int64_t model_calls = 0;
  int64_t tool_calls = 0;
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;

  bool operator==(const Usage&) const = default;
  // Neither wraps around: numbers from outside may be anything.
  Usage& operator+=(const Usage& other);
  Usage& operator-=(const Usage& other);

  template <class Archive>
  void fields(Archive& a) {
    a("cost_micro_usd", cost_micro_usd);
    a("model_calls", model_calls);
    a("tool_calls", tool_calls);
    a("input_tokens", input_tokens);
    a("output_tokens", output_tokens);
  }
};

// What the operator declared about a tool, as it stood when the call was planned.
struct Contract {
  EffectClass effect = EffectClass::kOnce;
  OnDoubt on_doubt = OnDoubt::kAsk;
  bool repeat_allowed = false;  // an equal call after a success is not asked about
  int64_t horizon_ms = 0;       // kIdempotent: how long the receiver knows our key
  int64_t margin_ms = 0;        // subtracted from the horizon: at least a whole request's lifetime
  uint32_t max_attempts = 1;  // sends of one attempt group, and re-sends after NOT_SENT or DEFERRED
  int64_t backoff_ms = 1000;  // base and cap of the exponential backoff with full jitter
  int64_t backoff_max_ms = 60'000;

  template <class Archive>
  void fields(Archive& a) {
    a("effect", effect);
    a("on_doubt", on_doubt);
    a("repeat_allowed", repeat_allowed);
    a("horizon_ms", horizon_ms);
    a("margin_ms", margin_ms);
    a("max_attempts", max_attempts);
    a("backoff_ms", backoff_ms);
    a("backoff_max_ms", backoff_max_ms);
  }
};

// Who is asked, and what happens while nobody answers. Times count from the question; 0: never.
struct Asking {
  std::vector<std::string> assignees;
  int64_t expires_ms = 0;
  OnExpire on_expire = OnExpire::kReject;
  std::string respond_with;        // OnExpire::kRespond
  std::vector<int64_t> remind_ms;  // ascending
  int64_t escalate_ms = 0;
  std::vector<std::string> escalate_to;

  bool operator==(const Asking&) const = default;

  template <class Archive>
  void fields(Archive& a) {
    a("assignees", assignees), a("expires_ms", expires_ms), a("on_expire", on_expire);
    a("respond_with", respond_with), a("remind_ms", remind_ms), a("escalate_ms", escalate_ms);
    a("escalate_to", escalate_to);
  }
};
inline constexpr size_t kRemindersMax = 16;
inline constexpr size_t kAssigneesMax = 32;

// When a planner wants its next turn. kNews: at any new result.
struct Await {
  enum class Op : uint8_t { kNews, kStep, kTimer, kAny, kAll };
  Op op = Op::kNews;
  std::string name;       // kStep, kTimer
  std::vector<Await> of;  // kAny, kAll: not empty

  template <class Archive>
  void fields(Archive& a) {
    a("op", op);
    a("name", name);
    a("of", of);
  }
};
inline constexpr size_t kAwaitMaxDepth = 8;
inline constexpr size_t kAwaitMaxNodes = 4096;
constexpr Await::Op last_of(Await::Op) {
  return Await::Op::kAll;
}
std::string_view to_string(Await::Op);

}  // namespace perdure
