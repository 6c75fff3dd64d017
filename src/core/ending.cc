#include "core/ending.h"

#include "base/hooks.h"
#include "core/decision.h"
#include "core/step.h"
#include "core/timer.h"

namespace perdure::core {
namespace {

void stop_everything(Draft& draft, const std::string& reason) {
  draft.plan() = {};
  withdraw_all_but_doubts(draft);
  close_unsent(draft, reason);
  clear_all_timers(draft);
}

bool anything_open(const TaskState& state) {
  return !state.open.empty() || !state.interrupts.empty() || !state.timers.empty();
}

void write_end(Draft& draft, const Ending& ending) {
  TaskEnded ended{ending.status, ending.stop_reason, ending.message, ending.result};
  // Stored once. A blob or a part of another payload is a reference already.
  if (ended.result.place == Payload::Place::kInline && ending.seq != 0) {
    ended.result.place = Payload::Place::kWithin;
    ended.result.within_seq = ending.seq;
    ended.result.offset_bytes = 0;
  }
  draft.append(std::move(ended));
}

}  // namespace

void end_task(Draft& draft, const Ending& ending) {
  if (!anything_open(draft.state())) {
    draft.plan() = {};
    return write_end(draft, ending);
  }
  draft.append(TaskEnding{ending.status, ending.stop_reason, ending.message, ending.result});
  stop_everything(draft, "the task ends");
}

void cancel(Draft& draft, const Cancel& command) {
  const TaskState& state = draft.state();
  if (state.ended) {
    if (state.ended->status == TaskStatus::kCancelled) return draft.accept(true);
    return draft.refuse(Code::kConflict,
                        "the task has ended as " + std::string(to_string(state.ended->status)));
  }
  if (state.ending) return draft.accept(true);
  draft.append(CancelRequested{command.by, command.reason});
  stop_everything(draft, "the task was cancelled");
  draft.accept();
}

void acknowledge(Draft& draft, const Acknowledge& command) {
  if (!draft.state().ended) {
    return draft.refuse(Code::kConflict, "the task has not ended: there is no result yet");
  }
  if (draft.state().acknowledged) return draft.accept(true);
  draft.append(TaskAcknowledged{command.by});
  draft.accept();
}

void finish_if_drained(Draft& draft) {
  if (!draft.state().ending || anything_open(draft.state())) return;
  Ending ending = *draft.state().ending;
  if (hooks::planted(hooks::Bug::kCancelForgotten)) ending.status = TaskStatus::kFailed;
  write_end(draft, ending);
}

}  // namespace perdure::core
