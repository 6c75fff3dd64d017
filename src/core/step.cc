#include "core/step.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.h"
#include "core/budget.h"
#include "core/decision.h"
#include "core/interrupt.h"
#include "core/timer.h"
#include "core/wish.h"
#include "journal/key.h"

namespace perdure::core {
namespace {

using hooks::Bug;
using hooks::planted;

const Step* find(const Draft& draft, const StepId& id) {
  const auto found = draft.state().open.find(id);
  return found == draft.state().open.end() ? nullptr : &found->second;
}

void close(Draft& draft, const StepId& id, EffectState state, std::string reason) {
  draft.append(StepClosed{id, state, std::move(reason), {}});
}

void report(Draft& draft, const CallAction& call) {
  StepSettled settled;
  settled.step = call.step;
  settled.outcome = call.outcome;
  settled.detail = call.detail;
  settled.used = Usage{};
  settled.result = call.result;
  draft.append(std::move(settled));
}

// No send of a key at or after this time; 0: no limit.
int64_t deadline_of(const Contract& contract, int64_t now_ms) {
  if (contract.effect != EffectClass::kIdempotent) return 0;
  const int64_t known_ms =
      capped_sum(contract.horizon_ms, -std::max<int64_t>(contract.margin_ms, 0));
  return std::max<int64_t>(capped_sum(now_ms, known_ms), 1);  // 0 would mean no limit
}

// Asking what became of an answer is cheap, and so is being held back, but not for ever.
constexpr uint32_t kWaitsMax = 1000;

// A model that refuses work is waited for. Of its attempts no more than a quarter, or 5, may be
// paid for and bring no answer; what it writes that cannot be read, it would write again.
constexpr uint32_t kPaidInVain = 5;
constexpr uint32_t kUnreadableMax = 2;

bool pays_in_vain(const Step& step) {
  const uint32_t paid_max = std::max(kPaidInVain, step.contract.max_attempts / 4);
  return step.kind == CallKind::kModel &&
         (step.paid_in_vain >= paid_max || step.unreadable >= kUnreadableMax);
}

bool may_try_again(const Step& step) {
  if (pays_in_vain(step)) return false;
  if (step.attempt >= kWaitsMax) return step.attempt < step.contract.max_attempts;
  return !step.provider_id.empty() || step.attempt - step.not_tried < step.contract.max_attempts;
}

bool expired(const Step& step, int64_t now_ms) {
  return step.not_after_ms != 0 && now_ms >= step.not_after_ms;
}

// What its newest intent is for. With a provider id it fetches, and asks for nothing again.
Send send_of(const TaskState& state, const StepId& id, std::string key) {
  const Step& step = state.open.at(id);
  return {.step = id,
          .kind = step.kind,
          .name = step.name,
          .attempt = step.attempt,
          .group = step.group,
          .effect = step.contract.effect,
          .not_after_ms = step.not_after_ms,
          .args = step.args,
          .key = std::move(key),
          .provider_id = step.provider_id,
          .mended_ms = state.mended_ms};
}

// What was sent once more, or was not heard of: under the key that it had.
Send sent_before(const Draft& draft, const StepId& id) {
  const TaskState& state = draft.state();
  const Step& step = state.open.at(id);
  return send_of(state, id, key_of(draft.secret(), state.id, id, step.group, step.args.hash));
}

// Planted bugs only: asks anew for what was asked for before.
Send asked_anew(const Draft& draft, const StepId& id) {
  Send send = sent_before(draft, id);
  send.provider_id.clear();
  return send;
}

void intend(Draft& draft, const StepId& id, const Step& step, bool new_group) {
  StepIntended intent;
  intent.step = id;
  intent.attempt = step.attempt + 1;
  intent.group = new_group ? step.group + 1 : step.group;
  intent.not_after_ms = new_group ? deadline_of(step.contract, draft.now_ms()) : step.not_after_ms;
  intent.decision_seq = step.decision_seq;
  if (step.edited) intent.args_hash = step.args.hash;
  const bool fetches = !step.provider_id.empty();
  if (!fetches && !planted(Bug::kReservationSkipped)) intent.reserved = step.reserve;
  CallKey key = call_key(draft.secret(), draft.state().id, id, intent.group, step.args.hash);
  intent.key_check = std::move(key.check);
  draft.append(std::move(intent));
  draft.emit(send_of(draft.state(), id, std::move(key.text)));
}

enum class Sent : bool { kHeldUp, kDone };  // kHeldUp: only the budget stands in the way

Sent send_if_it_fits(Draft& draft, const StepId& id, const Step& step, bool new_group) {
  const bool fetches = !step.provider_id.empty();
  if (!fetches && !fits(draft.state(), step.reserve)) return Sent::kHeldUp;
  intend(draft, id, step, new_group);
  return Sent::kDone;
}

Sent send_ready(Draft& draft, const StepId& id, const Step& step) {
  const bool stale = expired(step, draft.now_ms());
  if (stale && step.may_have_run) {
    close(draft, id, EffectState::kInDoubt, "the receiver may have forgotten its key by now");
    return Sent::kDone;
  }
  return send_if_it_fits(draft, id, step, step.group == 0 || stale);
}

Sent resolve_doubt(Draft& draft, const StepId& id, const Step& step) {
  const Contract& contract = step.contract;
  const bool attempts_left = may_try_again(step);
  const bool same_key =
      contract.effect == EffectClass::kIdempotent && !expired(step, draft.now_ms());
  const bool ending = draft.state().ending.has_value();
  if ((may_run_again(contract.effect) || same_key) && attempts_left && !ending) {
    return send_if_it_fits(draft, id, step, false);
  }
  if (may_run_again(contract.effect)) {
    close(draft, id, EffectState::kFailed,
          ending ? std::string("the task ends; not repeated")
                 : fmt::format("no answer after {} attempts", step.attempt));
  } else if (contract.on_doubt == OnDoubt::kError) {
    close(draft, id, EffectState::kUnknown, "whether it happened is unknown");
  } else {
    if (step.interrupt_seq != 0) withdraw(draft, step.interrupt_seq);
    ask_about_doubt(draft, id, step);
  }
  return Sent::kDone;
}

bool any(const Step&) {
  return true;
}

bool can_advance(const Step& step) {
  return !step.retry_pending &&
         (step.state == EffectState::kReady || step.state == EffectState::kInDoubt);
}

// The open steps that are so, in the order in which they were planned.
std::vector<StepId> in_order(const TaskState& state, bool (*is_so)(const Step&)) {
  std::vector<std::pair<Seq, StepId>> found;
  for (const auto& [id, step] : state.open) {
    if (is_so(step)) found.emplace_back(step.planned_seq, id);
  }
  std::sort(found.begin(), found.end());
  std::vector<StepId> ids;
  for (auto& [seq, id] : found) ids.push_back(std::move(id));
  return ids;
}

// The task is ending: what was not sent never will be. What may have happened stays a doubt.
void close_unsent_step(Draft& draft, const StepId& id, const Step& step,
                       const std::string& reason) {
  switch (step.state) {
    case EffectState::kPlanned:
    case EffectState::kAwaitingApproval:
      close(draft, id, EffectState::kDenied, reason);
      break;
    case EffectState::kReady:
    case EffectState::kNotSent:
      close(draft, id, step.may_have_run ? EffectState::kInDoubt : EffectState::kDenied, reason);
      break;
    case EffectState::kDeferred:
      close(draft, id, step.may_have_run ? EffectState::kInDoubt : EffectState::kFailed, reason);
      break;
    case EffectState::kIntent:
      if (may_run_again(step.contract.effect)) draft.emit(Abort{id});
      break;
    default:
      break;
  }
}

void give_up_or_wait(Draft& draft, const StepId& id, const Step& step, int64_t retry_after_ms) {
  if (draft.state().ending) return close_unsent_step(draft, id, step, "the task ends");
  const bool may_be_sent = !step.may_have_run || may_be_resent(step.contract.effect);
  if (may_try_again(step) && may_be_sent) {
    set_retry_timer(draft, id, step, retry_after_ms);
  } else if (step.may_have_run) {
    close(draft, id, EffectState::kInDoubt, "an earlier send may have arrived; it is not repeated");
  } else {
    close(draft, id, EffectState::kFailed,
          fmt::format("not executed after {} attempts", step.attempt));
  }
}

// An answer that nobody waits for any more is kept, as evidence, and changes nothing.
void note_late(Draft& draft, const SettleStep& outcome) {
  if (!state_of_step(draft.state(), outcome.step)) {
    return draft.refuse(Code::kNotFound, "this task has no step '" + outcome.step + "'");
  }
  if (draft.state().anomalies >= kAnomaliesMax) return draft.accept(true);
  draft.append(AnomalyNoted{
      outcome.step, outcome.attempt,
      fmt::format("an answer ({}) that nobody waits for any more", to_string(outcome.outcome)),
      outcome.result});
  draft.accept();
}

// Nobody earns by calling.
std::optional<Usage> not_negative(std::optional<Usage> used) {
  if (!used) return used;
  for (int64_t* number : {&used->cost_micro_usd, &used->model_calls, &used->tool_calls,
                          &used->input_tokens, &used->output_tokens}) {
    *number = std::max<int64_t>(*number, 0);
  }
  return used;
}

// A refusal speaks of its own send. An earlier one of the same key may have come in, or may still
// be on its way.
Outcome honest_outcome(const Step& step, const SettleStep& outcome) {
  const bool doubtful = outcome.outcome == Outcome::kInDoubt;
  if (doubtful && planted(Bug::kDoubtTakenForDone)) return Outcome::kSucceeded;
  const bool hides_doubt = step.may_have_run && !may_run_again(step.contract.effect);
  return outcome.outcome == Outcome::kFailed && hides_doubt ? Outcome::kInDoubt : outcome.outcome;
}

// A limit of money that nobody counts against is none.
void deny_unpriced(StepPlanned& planned) {
  planned.verdict = Verdict::kDeny;
  planned.verdict_reason = fmt::format(
      "the price of model '{}' is not known, and the task limits cost_usd; the operator can give "
      "it "
      "a price_per_mtok, all 0 if it costs nothing",
      planned.name);
}

}  // namespace

void plan_call(Draft& draft, const CallAction& call, bool guarded) {
  StepPlanned planned;
  planned.step = call.step;
  planned.kind = call.kind;
  planned.name = call.name;
  planned.executed_by = call.executed_by;
  planned.guarded = guarded;
  planned.verdict = call.verdict;
  planned.verdict_reason = call.verdict_reason;
  planned.contract = call.contract;
  planned.reserve = call.reserve;
  planned.unpriced = call.unpriced;
  if (call.unpriced && draft.state().limits.cost_micro_usd != kUnlimited) deny_unpriced(planned);
  planned.args = call.args;
  const bool watched = guarded && call.kind == CallKind::kTool;
  if (watched) planned.identity = call.identity;
  if (call.executed_by == ExecutedBy::kPlanner) {
    planned.verdict = Verdict::kAllow;
    draft.append(std::move(planned));
    return report(draft, call);
  }
  const auto earlier = watched && call.verdict != Verdict::kDeny
                           ? standing_in_the_way(draft.state(), call.identity, call.contract)
                           : std::nullopt;
  if (earlier) planned.verdict = Verdict::kAsk;
  const Verdict verdict = planned.verdict;
  draft.append(std::move(planned));
  if (planted(Bug::kApprovalSkipped)) return;
  if (earlier) {
    ask_about_duplicate(draft, call.step, *earlier);
  } else if (verdict == Verdict::kAsk) {
    ask_for_approval(draft, call.step, call.verdict_reason);
  }
}

void plan_question(Draft& draft, const AskAction& ask) {
  StepPlanned planned;
  planned.step = ask.step;
  planned.name = ask.name;
  planned.executed_by = ExecutedBy::kPerson;
  planned.contract.effect = EffectClass::kRead;
  planned.args = ask.args;
  draft.append(std::move(planned));
  ask_question(draft, ask.step, ask.message);
}

void settle(Draft& draft, const SettleStep& outcome) {
  const Step* step = find(draft, outcome.step);
  const bool overwrite = step == nullptr && planted(Bug::kLateAnswerOverwrites) &&
                         draft.state().closed.contains(outcome.step);
  const bool expected =
      step != nullptr && step->state == EffectState::kIntent && step->attempt == outcome.attempt;
  if (!expected && !overwrite) {
    return note_late(draft, outcome);
  }
  StepSettled settled{outcome.step,
                      outcome.attempt,
                      step == nullptr ? outcome.outcome : honest_outcome(*step, outcome),
                      outcome.failure,
                      outcome.detail,
                      outcome.retry_after_ms,
                      not_negative(outcome.used),
                      outcome.result};
  if (step != nullptr && planted(Bug::kModelAskedAgain) && step->kind == CallKind::kModel) {
    draft.emit(asked_anew(draft, outcome.step));
  }
  const Seq asked = step == nullptr ? 0 : step->interrupt_seq;
  draft.append(std::move(settled));
  draft.accept();
  if (asked != 0) withdraw(draft, asked);
  step = find(draft, outcome.step);
  if (step == nullptr) return;
  if (step->state == EffectState::kNotSent || step->state == EffectState::kDeferred) {
    give_up_or_wait(draft, outcome.step, *step, outcome.retry_after_ms);
  } else if (step->state == EffectState::kInDoubt && !draft.state().ending &&
             may_be_resent(step->contract.effect) && may_try_again(*step)) {
    set_retry_timer(draft, outcome.step, *step, outcome.retry_after_ms);
  }
}

void note_provider_id(Draft& draft, const NoteProviderId& command) {
  const Step* step = find(draft, command.step);
  const bool expected = step != nullptr && step->state == EffectState::kIntent &&
                        step->attempt == command.attempt && step->kind == CallKind::kModel;
  const std::string& name = command.provider_id;
  if (!expected || name.empty() || name.size() > kProviderIdMaxBytes || name == step->provider_id) {
    return draft.accept(true);
  }
  draft.append(StepProgressed{command.step, command.attempt, name});
  draft.accept();
}

void recover(Draft& draft) {
  if (draft.recovered()) return draft.accept(true);
  draft.recovered() = true;
  for (const StepId& id : in_order(draft.state(), any)) {
    const Step& step = draft.state().open.at(id);
    if (step.state != EffectState::kIntent) continue;
    if (planted(Bug::kResendOnce)) {
      draft.emit(asked_anew(draft, id));
      continue;
    }
    const bool wanted = !draft.state().ending;
    if (!step.provider_id.empty() && wanted && !planted(Bug::kFetchForgotten)) {
      draft.emit(sent_before(draft, id));
      continue;
    }
    const Seq asked = step.interrupt_seq;
    StepSettled doubt;
    doubt.step = id;
    doubt.attempt = step.attempt;
    doubt.outcome = Outcome::kInDoubt;
    doubt.failure = FailureClass::kAmbiguous;
    doubt.detail = "the process ended before an answer was recorded";
    draft.append(std::move(doubt));
    if (asked != 0) withdraw(draft, asked);
  }
  draft.accept();
}

void advance_steps(Draft& draft) {
  std::vector<StepId> held_up;
  for (const StepId& id : in_order(draft.state(), can_advance)) {
    Sent sent = Sent::kDone;
    const Step* step = find(draft, id);
    if (step->state == EffectState::kReady) sent = send_ready(draft, id, *step);
    step = find(draft, id);
    if (step->state == EffectState::kInDoubt) sent = resolve_doubt(draft, id, *step);
    if (sent == Sent::kHeldUp) held_up.push_back(id);
  }
  ask_for_room(draft, held_up);
}

void close_unsent(Draft& draft, const std::string& reason) {
  for (const StepId& id : in_order(draft.state(), any)) {
    const Step& step = draft.state().open.at(id);
    clear_retry_timer(draft, id, step);
    close_unsent_step(draft, id, step, reason);
  }
}

}  // namespace perdure::core
