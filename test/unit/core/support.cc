#include "support.h"

#include "core/evolve.h"

namespace perdure::test {
namespace {

constexpr const char* kSecret = "the secret of a store in a test";

StepId step_of(const RecordBody& body) {
  return std::visit(
      [](const auto& r) -> StepId {
        if constexpr (requires { r.step; }) return r.step;
        return {};
      },
      body);
}

// The step that a record moves.
StepId moved_by(const core::TaskState& before, const RecordBody& body) {
  if (const auto* resolved = std::get_if<InterruptResolved>(&body)) {
    const auto found = before.interrupts.find(resolved->interrupt_seq);
    return found == before.interrupts.end() ? StepId() : found->second.step;
  }
  if (const auto* fired = std::get_if<TimerFired>(&body)) {
    if (fired->purpose != TimerPurpose::kRetry) return {};
    return fired->timer.substr(core::kRetryTimerPrefix.size());
  }
  return std::holds_alternative<AnomalyNoted>(body) ? StepId() : step_of(body);
}

}  // namespace

Contract contract(EffectClass effect, uint32_t max_attempts, OnDoubt on_doubt) {
  Contract made;
  made.effect = effect;
  made.max_attempts = max_attempts;
  made.on_doubt = on_doubt;
  return made;
}

Contract idempotent(uint32_t max_attempts, OnDoubt on_doubt) {
  Contract made = contract(EffectClass::kIdempotent, max_attempts, on_doubt);
  made.horizon_ms = 600'000;
  made.margin_ms = 60'000;
  return made;
}

CallAction tool(const StepId& step, Contract contract, Verdict verdict) {
  CallAction call;
  call.step = step;
  call.name = "pay";
  call.args = Payload::of("{\"step\":\"" + step + "\"}");
  call.contract = contract;
  call.verdict = verdict;
  call.reserve.tool_calls = 1;
  return call;
}

CallAction wish(const StepId& step, const std::string& wish, Contract contract, Verdict verdict) {
  CallAction call = tool(step, contract, verdict);
  call.identity = sha256(wish);
  return call;
}

CallAction model(const StepId& step, MicroUsd reserve_micro_usd) {
  CallAction call = tool(step, contract(EffectClass::kRead, 3));
  call.kind = CallKind::kModel;
  call.name = "large";
  call.reserve = Usage{};
  call.reserve.model_calls = 1;
  call.reserve.cost_micro_usd = reserve_micro_usd;
  return call;
}

CallAction local(const StepId& step, Outcome outcome) {
  CallAction call = tool(step, contract(EffectClass::kRead));
  call.executed_by = ExecutedBy::kPlanner;
  call.outcome = outcome;
  call.result = Payload::of("\"by the planner\"");
  return call;
}

TimerAction timer(const TimerId& id, int64_t after_ms) {
  return {id, after_ms, 0};
}

AskAction question(const StepId& step) {
  return {step, "ask_person", "which colour?", Payload::of(R"({"question":"which colour?"})")};
}

Await step_is_done(const StepId& step) {
  return {Await::Op::kStep, step, {}};
}

Await timer_fired(const TimerId& id) {
  return {Await::Op::kTimer, id, {}};
}

Await any_of(std::vector<Await> of) {
  return {Await::Op::kAny, {}, std::move(of)};
}

Await all_of(std::vector<Await> of) {
  return {Await::Op::kAll, {}, std::move(of)};
}

Driver::Driver(Limits limits, PeopleRules people) : people_(std::move(people)) {
  task_.state.id = folded_.id = TaskId::make(kStartMs, 7, 11);
  Submit submit;
  submit.tenant = "default";
  submit.principal = "anna";
  submit.planner = "script";
  submit.limits = limits;
  submit.input = Payload::of("{}");
  apply(submit);
}

core::Applied Driver::apply(const Command& command) {
  const bool had_ended = state().ended.has_value();
  core::Applied applied = core::apply(task_, command, now_ms_, people_, kSecret);
  note_records(applied);
  EXPECT_EQ(core::hash_of(folded_), core::hash_of(state())) << "the fold differs from what lives";
  check_task(task_);
  check_effects(applied);
  if (had_ended) check_after_end(applied);
  return applied;
}

void Driver::note_records(const core::Applied& applied) {
  for (const Record& record : applied.records) {
    const StepId id = moved_by(folded_, record.body);
    const EffectState before = core::state_of_step(folded_, id).value_or(EffectState::kPlanned);
    const Status evolved = core::evolve(folded_, record);
    ASSERT_TRUE(evolved) << name_of(record.body) << ": " << evolved.error().message;
    const EffectState after = core::state_of_step(folded_, id).value_or(before);
    if (after != before) arrows_.insert({before, after});
    promises_.read(record);
    records_.push_back(record);
  }
  for (const Effect& effect : applied.effects) {
    if (const auto* send = std::get_if<Send>(&effect)) sends_.push_back(*send);
    if (const auto* abort = std::get_if<Abort>(&effect)) aborts_.push_back(abort->step);
    if (const auto* answered = std::get_if<Answered>(&effect)) answered_.push_back(*answered);
  }
}

AnswerTurn Driver::turn(std::vector<Action> actions, TurnOptions options) {
  AnswerTurn turn;
  turn.turn = task_.plan.turn;
  turn.upto_seq = task_.plan.upto_seq;
  turn.planner_version = "1";
  turn.answer_hash = sha256(std::to_string(++answers_));
  turn.guarded = options.guarded;
  turn.more = options.more;
  turn.await = std::move(options.await);
  turn.actions = std::move(actions);
  return turn;
}

core::Applied Driver::answer(std::vector<Action> actions, TurnOptions options) {
  EXPECT_TRUE(plan_is_open());
  return apply(turn(std::move(actions), std::move(options)));
}

core::Applied Driver::propose(std::vector<Action> actions) {
  return answer(std::move(actions), {.await = {}, .more = false, .guarded = true});
}

core::Applied Driver::reject_turn(const std::string& reason) {
  return apply(RejectTurn{task_.plan.turn, task_.plan.upto_seq, reason});
}

core::Applied Driver::settle(const StepId& id, Outcome outcome, FailureClass failure,
                             int64_t retry_after_ms) {
  const auto found = state().open.find(id);
  SettleStep settle;
  settle.step = id;
  settle.attempt = found == state().open.end() ? 1 : found->second.attempt;
  settle.outcome = outcome;
  settle.failure = failure;
  settle.retry_after_ms = retry_after_ms;
  settle.result = Payload::of("\"result of " + id + "\"");
  return apply(settle);
}

core::Applied Driver::settle_using(const StepId& id, Outcome outcome, std::optional<Usage> used) {
  SettleStep settle;
  settle.step = id;
  settle.attempt = state().open.at(id).attempt;
  settle.outcome = outcome;
  settle.used = used;
  return apply(settle);
}

core::Applied Driver::decide(Seq interrupt_seq, Decision decision, Usage add, bool remember) {
  Resolve resolve;
  resolve.interrupt_seq = interrupt_seq;
  resolve.decision = decision;
  resolve.by = "anna";
  resolve.add = add;
  resolve.remember = remember;
  return apply(resolve);
}

core::Applied Driver::give(Seq interrupt_seq, Decision decision, const std::string& json,
                           const std::string& wish) {
  Resolve resolve;
  resolve.interrupt_seq = interrupt_seq;
  resolve.decision = decision;
  resolve.by = "anna";
  resolve.given = Payload::of(json);
  if (!wish.empty()) resolve.identity = sha256(wish);
  return apply(resolve);
}

core::Applied Driver::fire(const TimerId& id) {
  const auto found = state().timers.find(id);
  EXPECT_NE(found, state().timers.end()) << "timer '" << id << "' is not set";
  if (found != state().timers.end()) now_ms_ = std::max(now_ms_, found->second.due_ms);
  return apply(FireTimer{id});
}

core::Applied Driver::fire_retry(const StepId& id) {
  return fire(std::string(core::kRetryTimerPrefix) + id);
}

core::Applied Driver::restart() {
  core::Task fresh;
  fresh.state.id = task_.state.id;
  for (const Record& record : records_) {
    const Status evolved = core::evolve(fresh.state, record);
    EXPECT_TRUE(evolved) << (evolved ? "" : evolved.error().message);
  }
  EXPECT_EQ(core::hash_of(fresh.state), core::hash_of(state()));
  task_ = std::move(fresh);
  return apply(Recover{});
}

std::string Driver::step(const StepId& id) const {
  const auto found = core::state_of_step(state(), id);
  return found ? std::string(to_string(*found)) : "none";
}

Seq Driver::question(InterruptReason reason) const {
  Seq found = 0;
  size_t n = 0;
  for (const auto& [seq, interrupt] : state().interrupts) {
    if (interrupt.reason == reason) found = seq, ++n;
  }
  return n == 1 ? found : 0;
}

size_t Driver::sends_of(const StepId& id) const {
  size_t n = 0;
  for (const Send& send : sends_) n += send.step == id;
  return n;
}

}  // namespace perdure::test
