#include "wild_planner.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "journal/answer_hash.h"
#include "shop.h"
#include "world.h"

namespace perdure::sim {
namespace {

constexpr int64_t kLeaseUs = 60'000'000;
constexpr int64_t kDayMs = 86'400'000;

std::vector<std::string> names_of(const AnswerTurn& turn) {
  std::vector<std::string> names;
  for (const Action& action : turn.actions) {
    if (const auto* call = std::get_if<CallAction>(&action)) {
      names.push_back("call " + call->step);
    } else if (const auto* ask = std::get_if<AskAction>(&action)) {
      names.push_back("call " + ask->step);
    } else if (std::holds_alternative<InterruptAction>(action)) {
      names.push_back("interrupt");
    } else if (const auto* timer = std::get_if<TimerAction>(&action)) {
      names.push_back("timer " + timer->timer);
    } else if (std::holds_alternative<NoteAction>(action)) {
      names.push_back("note");
    } else {
      names.push_back("end");
    }
  }
  return names;
}

Await await_on(Await::Op op, std::string name) {
  Await await;
  await.op = op;
  await.name = std::move(name);
  return await;
}

}  // namespace

bool WildPlanner::in_process() const {
  return world_.knobs().planner_in_process;
}

WildPlanner::Memory WildPlanner::memory_of(const Payload& state) {
  Memory memory;
  unsigned long long turns = 0, steps = 0, timers = 0;
  const std::string text(state.view());
  if (std::sscanf(text.c_str(), "%llu %llu %llu", &turns, &steps, &timers) == 3) {
    memory = {turns, steps, timers};
  }
  return memory;
}

// What it is told must be whole: everything between its last turn and this one.
void WildPlanner::check(const PlanRequest& request) {
  Finding& verdict = world_.verdict();
  const std::string task = request.task.to_string();
  Seq expected = request.news.empty() ? 0 : request.news.front().seq;
  if (expected == 0 || expected > request.after_seq + 1) {
    verdict.violation("plan_whole", fmt::format("{} turn {}: the news begin with {} after {}", task,
                                                request.plan.turn, expected, request.after_seq));
  }
  for (const Record& record : request.news) {
    if (record.seq != expected++) {
      verdict.violation("plan_whole", fmt::format("{}: record {} is missing", task, expected - 1));
    }
  }
  if (expected != request.plan.upto_seq + 1) {
    verdict.violation("plan_whole",
                      fmt::format("{}: the news end before {}", task, request.plan.upto_seq));
  }
  if (in_process()) return;
  const SeenTask* seen = world_.evidence().task(request.task);
  if (seen == nullptr || seen->head < request.plan.upto_seq) {
    verdict.violation("output_commit",
                      fmt::format("{}: a planner outside is told of record {}, {} is durable", task,
                                  request.plan.upto_seq, seen ? seen->head : 0));
  }
}

void WildPlanner::plan(PlanRequest request, Done done) {
  if (!in_process() && !world_.output("plan", request.task)) return;
  if (world_.is_doomed()) return;
  check(request);
  Dice& dice = world_.dice();
  const Knobs& knobs = world_.knobs();
  const TaskId task = request.task;
  const Plan plan = request.plan;
  world_.trace("asks", task, plan.turn, [&] {
    return fmt::format("turn {} upto {}, attempt {}", plan.turn, plan.upto_seq, plan.attempt);
  });
  if (!in_process()) {
    world_.in_process(kLeaseUs, "lease ends", [this, task, plan] {
      world_.command(task, RejectTurn{plan.turn, plan.upto_seq, "its planner is silent"},
                     [this](const engine::Submitted&) { world_.probe(Probe::kLeaseEnded); });
    });
    if (dice.chance(knobs.planner_dead)) return;
  }
  int64_t delay_us = dice.between(0, 20'000);
  if (dice.chance(knobs.planner_slow)) delay_us = dice.between(0, 2 * kLeaseUs);
  if (dice.chance(knobs.planner_fails)) {
    world_.in_process(delay_us, "planner fails",
                      [done] { done(fail(Code::kInternal, "the planner has failed")); });
    return;
  }
  AnswerTurn turn = decide(request);
  if (in_process() && dice.chance(300)) return answer(request, std::move(turn), done);
  const bool from_outside = !in_process() && dice.chance(500);
  if (from_outside) {
    world_.after(delay_us, "planner answers",
                 [&world = world_, task, turn] { world.answer_turn(task, turn, "answers"); });
    return;
  }
  world_.in_process(delay_us, "planner answers", [this, request = std::move(request), turn, done] {
    answer(request, turn, done);
  });
}

void WildPlanner::answer(const PlanRequest& request, AnswerTurn turn, const Done& done) {
  Dice& dice = world_.dice();
  const Knobs& knobs = world_.knobs();
  const TaskId task = request.task;
  if (dice.chance(knobs.planner_repeats)) {
    world_.after(dice.spread(0, 30'000'000), "planner repeats",
                 [&world = world_, task, turn] { world.answer_turn(task, turn, "repeats"); });
  }
  if (dice.chance(knobs.planner_stale)) {
    AnswerTurn other = decide(request);
    if (dice.chance(300) && other.turn > 1) --other.turn;
    if (dice.chance(300)) ++other.upto_seq;
    other.answer_hash = hash_answer(other);
    world_.after(dice.spread(0, 1'000'000), "planner contradicts",
                 [&world = world_, task, other] { world.answer_turn(task, other, "contradicts"); });
  }
  done(std::move(turn));
}

AnswerTurn WildPlanner::decide(const PlanRequest& request) {
  Dice& dice = world_.dice();
  Memory memory = memory_of(request.state);
  AnswerTurn turn;
  turn.turn = request.plan.turn;
  turn.upto_seq = request.plan.upto_seq;
  turn.planner_version = "wild/1";
  turn.guarded = dice.chance(world_.knobs().guarded);
  const bool tired = static_cast<int64_t>(++memory.turns) > world_.knobs().turns_max;
  if (tired || dice.chance(world_.is_healed() ? 400 : 60)) {
    if (dice.chance(300)) turn.actions.emplace_back(NoteAction{Payload::of("\"last words\"")});
    if (dice.chance(150)) {
      turn.actions.emplace_back(FailAction{StopReason::kError, "it gives up"});
    } else {
      turn.actions.emplace_back(CompleteAction{Payload::of("\"done\""), StopReason::kEndTurn});
    }
  } else {
    add_actions(turn, memory, tag_in(request.input.view()), request.task);
  }
  turn.state = Payload::of(fmt::format("{} {} {}", memory.turns, memory.steps, memory.timers));
  if (dice.chance(world_.knobs().planner_malformed)) spoil(turn);
  turn.answer_hash = hash_answer(turn);
  world_.remember_answer(request.task, turn.turn, turn.answer_hash, names_of(turn));
  return turn;
}

void WildPlanner::add_actions(AnswerTurn& turn, Memory& memory, const std::string& tag,
                              const TaskId&) {
  Dice& dice = world_.dice();
  std::vector<Await> fresh;
  const uint64_t old_steps = memory.steps;
  for (int64_t calls = dice.between(0, 3); calls > 0; --calls) {
    turn.actions.emplace_back(call(memory, tag));
    const auto& made = std::get<CallAction>(turn.actions.back());
    fresh.push_back(await_on(Await::Op::kStep, made.step));
  }
  if (dice.chance(60)) {
    AskAction ask;
    ask.step = fmt::format("s{}", ++memory.steps);
    ask.name = kAskTool;
    ask.message = "what now?";
    ask.args = Payload::of(R"({"question":"what now?"})");
    fresh.push_back(await_on(Await::Op::kStep, ask.step));
    turn.actions.emplace_back(std::move(ask));
  }
  if (dice.chance(30)) {
    turn.actions.emplace_back(InterruptAction{InterruptReason::kLoopDetected, "round and round"});
  }
  if (dice.chance(250)) {
    TimerAction timer;
    timer.timer = fmt::format("t{}", ++memory.timers);
    const int64_t longest_ms = dice.chance(150) ? 3 * kDayMs : 20'000;
    timer.after_ms = dice.spread(0, longest_ms);
    if (dice.chance(100)) timer.at_ms = world_.clock().unix_ms() + dice.between(-5'000, 20'000);
    fresh.push_back(await_on(Await::Op::kTimer, timer.timer));
    turn.actions.emplace_back(std::move(timer));
  }
  if (dice.chance(200)) turn.actions.emplace_back(NoteAction{Payload::of("\"a note\"")});
  if (!fresh.empty()) {
    turn.await = await(fresh);
  } else if (old_steps > 0 && dice.chance(700)) {
    turn.await = await_on(Await::Op::kStep, fmt::format("s{}", 1 + dice.below(old_steps)));
  } else {
    turn.more = true;
  }
  if (dice.chance(50)) turn.more = true;
}

CallAction WildPlanner::call(Memory& memory, const std::string& tag) {
  Dice& dice = world_.dice();
  CallAction call;
  call.step = fmt::format("s{}", ++memory.steps);
  if (dice.chance(150)) {
    call.kind = CallKind::kModel;
    call.name = dice.chance(400) ? kBackgroundModel : kModelName;
    call.args = Payload::of(fmt::format(
        R"({{"messages":[{{"content":"tag:{};step:{};","role":"user"}}]}})", tag, call.step));
    return call;
  }
  if (dice.chance(60)) {
    call.name = kLocalTool;
    call.executed_by = ExecutedBy::kPlanner;
    call.outcome = dice.chance(700) ? Outcome::kSucceeded : Outcome::kFailed;
    call.result = Payload::of("\"computed\"");
    world_.probe(Probe::kPlannerRan);
    return call;
  }
  call.name = world_.random_tool();
  if (dice.chance(world_.knobs().large_payload)) {
    call.args = Payload::of(fmt::format(R"({{"pad":"{}"}})", std::string(300'000, 'x')));
    world_.probe(Probe::kLargePayload);
  } else {
    call.args = Payload::of(fmt::format(R"({{"order":{}}})", dice.between(1, 3)));
  }
  return call;
}

Await WildPlanner::await(const std::vector<Await>& fresh) {
  Dice& dice = world_.dice();
  switch (dice.below(4)) {
    case 0:
      return {};  // any news
    case 1:
      return dice.pick(fresh);
    default: {
      Await await;
      await.op = dice.chance(500) ? Await::Op::kAny : Await::Op::kAll;
      await.of = fresh;
      return await;
    }
  }
}

// One thing is made wrong; that it is refused as a whole is what the checkers see.
void WildPlanner::spoil(AnswerTurn& turn) {
  Dice& dice = world_.dice();
  CallAction call;
  call.step = "wrong";
  call.name = "once";
  call.args = Payload::of("{}");
  switch (dice.below(8)) {
    case 0:
      call.step = "s1";
      turn.actions.emplace_back(call);
      turn.actions.emplace_back(call);
      break;
    case 1:
      call.step = std::string(kNameMaxBytes + 1, 'x');
      turn.actions.emplace_back(call);
      break;
    case 2:
      turn.actions.insert(turn.actions.begin(), CompleteAction{});
      turn.actions.emplace_back(call);
      break;
    case 3:
      turn.actions.emplace_back(TimerAction{"!retry/s1", 1, 0});
      break;
    case 4:
      turn.actions.clear();
      turn.more = false;
      turn.await = await_on(Await::Op::kStep, "there is none");
      break;
    case 5:
      turn.actions.emplace_back(TimerAction{"t", -1, 0});
      break;
    case 6:
      call.executed_by = ExecutedBy::kPlanner;
      turn.actions.emplace_back(call);
      break;
    default:
      turn.actions.clear();
      turn.more = false;
      turn.await.op = Await::Op::kAll;
      turn.await.of.clear();
      break;
  }
}

}  // namespace perdure::sim
