#include "random_task.h"

#include "core/decision.h"

namespace perdure::test {
namespace {

std::mt19937_64 seeded(uint64_t seed) {
  return std::mt19937_64(seed * 0x9E3779B97F4A7C15u + 1);
}

Limits limits_of(uint64_t seed) {
  std::mt19937_64 random = seeded(seed);
  Limits limits;
  if (random() % 3 == 0) limits.cost_micro_usd = static_cast<int64_t>(random() % 3'000);
  if (random() % 4 == 0) limits.model_calls = static_cast<int64_t>(random() % 8);
  if (random() % 4 == 0) limits.tool_calls = static_cast<int64_t>(random() % 20);
  if (random() % 6 == 0) limits.turns = static_cast<int64_t>(random() % 8);
  return limits;
}

Asking asking_of(std::mt19937_64& random) {
  Asking asking;
  if (random() % 2 == 0) asking.expires_ms = static_cast<int64_t>(1 + random() % 2'000);
  asking.on_expire = static_cast<OnExpire>(random() % 5);
  if (random() % 2 == 0) asking.respond_with = "nobody is here";
  for (size_t i = random() % 3; i > 0; --i) {
    const int64_t last = asking.remind_ms.empty() ? 0 : asking.remind_ms.back();
    asking.remind_ms.push_back(last + 1 + static_cast<int64_t>(random() % 300));
  }
  if (random() % 2 == 0) {
    asking.escalate_ms = static_cast<int64_t>(1 + random() % 500);
    asking.escalate_to = {"group:ops"};
  }
  return asking;
}

PeopleRules people_of(uint64_t seed) {
  std::mt19937_64 random = seeded(seed + 5);
  PeopleRules people;
  if (random() % 2 == 0) return people;
  people.common = asking_of(random);
  if (random() % 2 == 0) people.of_tool["pay"] = asking_of(random);
  if (random() % 4 == 0) people.of_tool["ask_person"] = asking_of(random);
  return people;
}

}  // namespace

RandomTask::RandomTask(uint64_t seed)
    : random_(seeded(seed + 77)), driver_(limits_of(seed), people_of(seed)) {}

void RandomTask::run(size_t commands) {
  size_t after_end = 0;
  for (size_t i = 0; i < commands && after_end < 5; ++i) {
    if (testing::Test::HasFailure()) return;
    after_end += driver_.state().ended.has_value();
    driver_.pass(chance(90) ? small() : 200'000);
    if (chance(3)) {
      driver_.restart();
    } else if (chance(15)) {
      nonsense();
    } else {
      step();
    }
  }
}

int64_t RandomTask::number() {
  static constexpr int64_t kNumbers[] = {0,  1,         2,         7,         1'000,     -1,
                                         -7, INT64_MAX, INT64_MIN, 1LL << 40, -1LL << 40};
  return kNumbers[below(std::size(kNumbers))];
}

Usage RandomTask::usage() {
  return {number(), number(), number(), number(), number()};
}

StepId RandomTask::some_step() {
  const auto& state = driver_.state();
  const auto pick = [&](const auto& map) {
    return std::next(map.begin(), below(map.size()))->first;
  };
  if (!state.open.empty() && chance(60)) return pick(state.open);
  if (!state.closed.empty() && chance(50)) return pick(state.closed);
  static const StepId kStrange[] = {"", "!", "!retry/s1", std::string(300, 'x'), "\xFF", "nobody"};
  return kStrange[below(std::size(kStrange))];
}

TimerId RandomTask::some_timer() {
  const auto& timers = driver_.state().timers;
  if (!timers.empty() && chance(80)) return std::next(timers.begin(), below(timers.size()))->first;
  return chance(50) ? TimerId("!replan") : some_step();
}

Contract RandomTask::some_contract() {
  Contract made = idempotent(1 + below(3));
  made.effect = any_of_enum<EffectClass>();
  made.on_doubt = any_of_enum<OnDoubt>();
  made.repeat_allowed = chance(20);
  if (chance(5)) made.horizon_ms = number();
  if (chance(5)) made.margin_ms = number();
  if (chance(5)) made.backoff_ms = number();
  if (chance(5)) made.backoff_max_ms = number();
  if (chance(3)) made.max_attempts = 0;
  return made;
}

CallAction RandomTask::some_call() {
  CallAction call = wish("s" + std::to_string(++names_), "w" + std::to_string(below(6)),
                         some_contract(), chance(75) ? Verdict::kAllow : any_of_enum<Verdict>());
  if (chance(20)) call.kind = CallKind::kModel;
  call.reserve = Usage{small(), call.kind == CallKind::kModel, call.kind == CallKind::kTool};
  if (chance(8)) {
    call.executed_by = ExecutedBy::kPlanner;
    call.contract.effect = chance(90) ? EffectClass::kRead : EffectClass::kOnce;
    if (chance(40)) call.outcome = Outcome::kFailed;
    if (chance(5)) call.outcome = any_of_enum<Outcome>();
  }
  return call;
}

Action RandomTask::some_action() {
  if (chance(75)) return some_call();
  if (chance(25)) return question("s" + std::to_string(++names_));
  if (chance(10)) return InterruptAction{any_of_enum<InterruptReason>(), "it goes round"};
  if (chance(70)) return timer("t" + std::to_string(++names_), small());
  if (chance(70)) return NoteAction{Payload::of("{}")};
  CallAction call = some_call();
  if (chance(50)) call.step = some_step();
  if (chance(50)) call.reserve = usage();
  return call;
}

Await RandomTask::some_await(size_t depth) {
  const auto& state = driver_.state();
  if (depth == 0 && chance(50)) return {};
  if (depth < 3 && chance(30)) {
    std::vector<Await> of;
    for (size_t i = 0, n = below(4); i < n; ++i) of.push_back(some_await(depth + 1));
    return chance(50) ? any_of(of) : all_of(of);
  }
  if (chance(30)) {
    return timer_fired(state.fired.empty() || chance(50) ? some_timer() : *state.fired.begin());
  }
  return step_is_done(names_ > 0 && chance(60) ? "s" + std::to_string(names_) : some_step());
}

void RandomTask::answer_plan() {
  if (chance(8)) {
    driver_.reject_turn("by chance");
    return;
  }
  std::vector<Action> actions;
  if (names_ > 20 && chance(25)) {
    if (chance(50)) actions.push_back(CompleteAction{Payload::of("1")});
    if (actions.empty()) actions.push_back(FailAction{StopReason::kError, "no"});
  } else {
    for (size_t i = 0, n = below(4); i < n; ++i) actions.push_back(some_action());
  }
  const Await await = some_await(0);
  driver_.answer(std::move(actions), {await, chance(5), chance(60)});
}

void RandomTask::settle_one() {
  static constexpr FailureClass kClasses[] = {FailureClass::kNone, FailureClass::kAmbiguous,
                                              FailureClass::kRateLimit};
  const StepId id = some_step();
  const auto open = driver_.state().open.find(id);
  if (open != driver_.state().open.end() && chance(20)) {
    driver_.apply(NoteProviderId{id, open->second.attempt, "resp"});
  }
  SettleStep settle;
  settle.step = id;
  settle.attempt = open == driver_.state().open.end() ? 1 : open->second.attempt;
  if (chance(5)) settle.attempt -= 1;
  settle.outcome = any_of_enum<Outcome>();
  settle.failure = kClasses[below(3)];
  if (chance(40)) settle.used = Usage{small(), 1, 1, small(), small()};
  if (chance(20)) settle.retry_after_ms = small() * 1'000;
  driver_.apply(settle);
}

void RandomTask::fire_one() {
  const TimerId id = some_timer();
  const auto set = driver_.state().timers.find(id);
  if (set != driver_.state().timers.end() && chance(80)) {
    const int64_t wait_ms = set->second.due_ms - driver_.now_ms();
    driver_.pass(std::clamp<int64_t>(wait_ms, 0, 86'400'000));
  }
  driver_.apply(FireTimer{id});
}

void RandomTask::decide_one() {
  const auto& questions = driver_.state().interrupts;
  if (questions.empty()) return;
  const auto& [seq, question] = *std::next(questions.begin(), below(questions.size()));
  const auto allowed = core::allowed_decisions(question.reason);
  Resolve resolve;
  resolve.interrupt_seq = seq;
  resolve.decision = allowed[below(allowed.size())];
  resolve.by = "anna";
  const bool approves = resolve.decision == Decision::kApprove;
  resolve.remember =
      approves && question.reason == InterruptReason::kPossibleDuplicate && chance(30);
  if (approves && question.reason == InterruptReason::kBudgetReached) {
    resolve.add = chance(70) ? Usage{1'000, 5, 5} : usage();
  }
  if (resolve.decision == Decision::kEdit || resolve.decision == Decision::kRespond ||
      (resolve.decision == Decision::kHappened && chance(30))) {
    resolve.given = Payload::of("{\"given\":" + std::to_string(below(3)) + "}");
    resolve.identity = sha256("w" + std::to_string(below(6)));
  }
  driver_.apply(resolve);
}

void RandomTask::ask_while_running() {
  const StepId id = some_step();
  const auto open = driver_.state().open.find(id);
  Ask ask{id, open == driver_.state().open.end() ? 1 : open->second.attempt, "and now?", {}};
  if (chance(5)) ask.attempt += 1;
  if (chance(50)) ask.question = Payload::of("{}");
  driver_.apply(ask);
  if (chance(20)) driver_.apply(Withdraw{id, ask.attempt});
}

void RandomTask::step() {
  if (driver_.plan_is_open() && chance(40)) return answer_plan();
  const size_t what = below(100);
  if (what < 8) return ask_while_running();
  if (what < 50) return settle_one();
  if (what < 75) return fire_one();
  if (what < 98) return decide_one();
  if (chance(30)) driver_.cancel();
}

void RandomTask::nonsense() {
  switch (below(8)) {
    case 0: {
      AnswerTurn turn = driver_.turn({some_action(), some_action()}, {some_await(0)});
      turn.turn = static_cast<uint64_t>(number());
      turn.upto_seq = static_cast<Seq>(number());
      driver_.apply(turn);
      return;
    }
    case 1:
      driver_.apply(RejectTurn{static_cast<uint64_t>(number()), driver_.state().head, "?"});
      return;
    case 2: {
      SettleStep settle;
      settle.step = some_step();
      settle.attempt = static_cast<uint32_t>(number());
      settle.outcome = any_of_enum<Outcome>();
      settle.failure = any_of_enum<FailureClass>();
      settle.retry_after_ms = number();
      if (chance(50)) settle.used = usage();
      driver_.apply(settle);
      return;
    }
    case 3:
      driver_.apply(FireTimer{some_timer()});
      return;
    case 4: {
      Resolve resolve;
      resolve.interrupt_seq = chance(50) ? below(driver_.state().head + 3) : 0;
      resolve.decision = any_of_enum<Decision>();
      resolve.add = chance(50) ? usage() : Usage{};
      resolve.remember = chance(50);
      if (chance(30)) resolve.args_hash = sha256("other");
      driver_.apply(resolve);
      return;
    }
    case 5: {
      // A real attempt's outcome with numbers that make no sense.
      SettleStep settle;
      settle.step = some_step();
      const auto open = driver_.state().open.find(settle.step);
      settle.attempt = open == driver_.state().open.end() ? 0 : open->second.attempt;
      settle.outcome = any_of_enum<Outcome>();
      settle.retry_after_ms = number();
      settle.used = usage();
      driver_.apply(settle);
      return;
    }
    case 6:
      driver_.apply(Acknowledge{"anna"});
      return;
    default:
      driver_.apply(Recover{});
  }
}

}  // namespace perdure::test
