#include "core/turn.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.h"
#include "base/text.h"
#include "core/ending.h"
#include "core/interrupt.h"
#include "core/step.h"
#include "core/timer.h"
#include "core/turn_check.h"

namespace perdure::core {
namespace {

using hooks::Bug;
using hooks::planted;

constexpr uint32_t kRejectionsMax = 5;

bool is_for_open_turn(const OpenPlan& plan, uint64_t turn, Seq upto_seq) {
  return plan.open && plan.turn == turn && plan.upto_seq == upto_seq;
}

void refuse_stale(Draft& draft, uint64_t turn, Seq upto_seq) {
  const OpenPlan& plan = draft.plan();
  draft.refuse(Code::kConflict,
               plan.open ? fmt::format("stale: the open turn is {} upto {}, this is for {} upto {}",
                                       plan.turn, plan.upto_seq, turn, upto_seq)
                         : fmt::format("stale: turn {} is not open", turn));
}

void record_rejection(Draft& draft, const std::string& reason) {
  const uint32_t attempt = draft.state().turn.rejections + 1;
  draft.append(TurnRejected{draft.plan().turn, attempt, std::string(beginning(reason, 2000))});
  draft.plan() = {};
  if (attempt < kRejectionsMax) {
    set_replan_timer(draft);
  } else {
    ask_about_planner(draft, std::string(beginning(reason, 500)));
  }
}

void act(Draft& draft, const Action& action, bool guarded) {
  if (const auto* call = std::get_if<CallAction>(&action)) {
    plan_call(draft, *call, guarded);
  } else if (const auto* timer = std::get_if<TimerAction>(&action)) {
    set_planner_timer(draft, *timer);
  } else if (const auto* note = std::get_if<NoteAction>(&action)) {
    draft.append(Noted{note->note});
  } else if (const auto* complete = std::get_if<CompleteAction>(&action)) {
    end_task(draft, {TaskStatus::kCompleted, complete->stop_reason, {}, complete->result, 0});
  } else if (const auto* failed = std::get_if<FailAction>(&action)) {
    end_task(draft, {TaskStatus::kFailed, failed->stop_reason, failed->message, {}, 0});
  } else if (const auto* ask = std::get_if<AskAction>(&action)) {
    plan_question(draft, *ask);
  } else if (const auto* raised = std::get_if<InterruptAction>(&action)) {
    ask_for_planner(draft, raised->reason, raised->message);
  }
}

bool calls_model(const AnswerTurn& command) {
  return std::any_of(command.actions.begin(), command.actions.end(), [](const Action& action) {
    const auto* call = std::get_if<CallAction>(&action);
    return call != nullptr && call->kind == CallKind::kModel;
  });
}

bool holds(const TaskState& state, const Await& await) {
  const auto child_holds = [&](const Await& child) { return holds(state, child); };
  switch (await.op) {
    case Await::Op::kNews:
      return state.news_seq > state.turn.upto_seq;
    case Await::Op::kStep: {
      const auto effect = state_of_step(state, await.name);
      return effect && is_terminal(*effect);
    }
    case Await::Op::kTimer:
      return state.fired.contains(await.name);
    case Await::Op::kAny:
      return std::any_of(await.of.begin(), await.of.end(), child_holds);
    case Await::Op::kAll:
      return std::all_of(await.of.begin(), await.of.end(), child_holds);
  }
  return false;
}

}  // namespace

void answer(Draft& draft, const AnswerTurn& command) {
  const TaskState& state = draft.state();
  const bool repeated = state.turn.number > 0 && command.turn == state.turn.number &&
                        command.answer_hash == state.turn.answer_hash;
  if (repeated && !planted(Bug::kTurnAcceptedTwice)) return draft.accept(true);
  if (!is_for_open_turn(draft.plan(), command.turn, command.upto_seq) && !repeated) {
    return refuse_stale(draft, command.turn, command.upto_seq);
  }
  if (const auto error = malformed(state, command); error && !repeated) {
    record_rejection(draft, *error);
    return draft.refuse(Code::kInvalid, *error);
  }
  const int64_t turns_max = state.limits.turns;
  const bool too_many = turns_max != kUnlimited && calls_model(command) &&
                        model_turns_of(state) >= static_cast<uint64_t>(turns_max);
  TurnAccepted accepted{command.turn,
                        command.upto_seq,
                        command.planner_version,
                        command.answer_hash,
                        too_many ? 0 : static_cast<uint32_t>(command.actions.size()),
                        command.more,
                        command.await,
                        command.state};
  draft.plan() = {};
  draft.append(std::move(accepted));
  draft.accept();
  if (repeated) return;
  if (too_many) {
    return end_task(draft, {TaskStatus::kFailed,
                            StopReason::kMaxTurns,
                            fmt::format("the limit of {} turns is reached", turns_max),
                            {},
                            0});
  }
  size_t count = command.actions.size();
  if (planted(Bug::kHalfTurn)) count /= 2;
  for (size_t i = 0; i < count; ++i) act(draft, command.actions[i], command.guarded);
}

void reject(Draft& draft, const RejectTurn& command) {
  if (!is_for_open_turn(draft.plan(), command.turn, command.upto_seq)) {
    return refuse_stale(draft, command.turn, command.upto_seq);
  }
  record_rejection(draft, command.reason);
  draft.accept();
}

void plan_if_due(Draft& draft) {
  const TaskState& state = draft.state();
  if (state.ended || state.ending || draft.plan().open) return;
  const Turn& turn = state.turn;
  if (turn.replan_pending || turn.interrupt_seq != 0) return;
  const bool first = turn.number == 0;
  if (!first && !turn.more && !holds(state, turn.await)) return;
  draft.plan() = {true, turn.number + 1, state.head};
  draft.emit(Plan{turn.number + 1, state.head, turn.rejections + 1});
}

}  // namespace perdure::core
