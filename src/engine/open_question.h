#pragma once
// What is shown of an open question, and what a decision about it needs: written into the row of
// the question whenever it changes, so that an inbox reads rows and no journal.
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/state.h"
#include "ports/store.h"

namespace perdure::engine {

// The step that a question is about, as it was when its row was written.
struct AskedStep {
  CallKind kind = CallKind::kTool;
  std::string name;
  ExecutedBy executed_by = ExecutedBy::kEngine;
  EffectClass effect = EffectClass::kOnce;
  Payload args;
  std::string args_bytes;  // of `args`, if they stand in the row (kInline)
  uint32_t attempts = 0;
  uint32_t group = 0;
  std::vector<core::SentAttempt> sent;  // the newest of the attempts

  template <class Archive>
  void fields(Archive& a) {
    a("kind", kind), a("name", name), a("executed_by", executed_by), a("effect", effect);
    a("args", args), a("args_bytes", args_bytes), a("attempts", attempts), a("group", group);
    a("sent", sent);
  }
};

struct OpenQuestion {
  std::string agent, agent_version;
  InterruptReason reason = InterruptReason::kToolApproval;
  StepId step_id;  // empty: the question is about the task
  std::optional<AskedStep> step;
  std::string message;
  Usage needed;
  Payload question;            // of a call that asks while it runs
  std::string question_bytes;  // as `args_bytes`
  Asking asking;               // after an escalation, with all who are asked
  uint32_t reminders = 0;
  // Which limits the task has.
  bool limits_cost = false, limits_model_calls = false, limits_tool_calls = false;

  template <class Archive>
  void fields(Archive& a) {
    a("agent", agent), a("agent_version", agent_version), a("reason", reason);
    a("step_id", step_id), a("step", step), a("message", message), a("needed", needed);
    a("question", question), a("question_bytes", question_bytes), a("asking", asking),
        a("reminders", reminders);
    a("limits_cost", limits_cost), a("limits_model_calls", limits_model_calls);
    a("limits_tool_calls", limits_tool_calls);
  }
};

// Of an interrupt that is open in `state`. Small payloads have their bytes; others say where those
// stand.
OpenQuestion question_of(const core::TaskState& state, Seq interrupt_seq);

// The row of an interrupt that is open in `state`.
InterruptRow row_of(const core::TaskState& state, Seq interrupt_seq);
// What a row says; nothing if it was written before rows said that. kCorrupt if it cannot be read.
Result<std::optional<OpenQuestion>> question_in(const InterruptRow& row);

// Whether a row says what the journal says. What only tells how the question fares (attempts,
// reminders) is not looked at.
bool says_the_same(const InterruptRow& row, const core::TaskState& state);

}  // namespace perdure::engine
