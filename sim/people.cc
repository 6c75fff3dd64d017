#include "people.h"

#include <fmt/core.h>

#include <algorithm>

#include "world.h"

namespace perdure::sim {

void People::begin() {
  world_.after(world_.dice().spread(10'000, 5'000'000), "people look", [this] { look(); });
}

void People::look() {
  Dice& dice = world_.dice();
  if (!resting_) {
    std::vector<InterruptId> open;
    for (const auto& [id, row] : world_.disk().rows.interrupts) open.push_back(id);
    for (const InterruptId& id : open) {
      if (!thorough_ && !dice.chance(400)) continue;
      const SeenTask& task = world_.evidence().tasks.at(id.task);
      const auto asked = task.questions.find(id.seq);
      if (asked != task.questions.end()) answer(task, id.seq, asked->second);
    }
    if (!given_.empty() && dice.chance(world_.knobs().contradictory)) say_again();
  }
  const bool anything = !world_.disk().rows.interrupts.empty();
  int64_t pause_us = dice.spread(50'000, 5'000'000);
  if (world_.is_healed()) pause_us = anything ? 60'000'000 : 3'600'000'000;
  world_.after(pause_us, "people look", [this] { look(); });
}

Resolve People::decide(const SeenTask& task, Seq seq, const InterruptRequested& asked) {
  Dice& dice = world_.dice();
  Resolve decision;
  decision.interrupt_seq = seq;
  decision.by = "person";
  if (asked.reason == InterruptReason::kUncertainOutcome) {
    decision.decision =
        dice.one_of({Decision::kHappened, Decision::kNotHappened, Decision::kDismiss});
    if (decision.decision == Decision::kHappened && dice.chance(500)) {
      decision.given = Payload::of("\"I saw it\"");
    }
    return decision;
  }
  if (asked.reason == InterruptReason::kQuestion) {
    decision.decision = dice.chance(700) ? Decision::kRespond : Decision::kReject;
    if (decision.decision == Decision::kRespond) decision.given = Payload::of("\"so\"");
    return decision;
  }
  decision.decision = dice.chance(650) ? Decision::kApprove : Decision::kReject;
  const bool of_call = asked.reason == InterruptReason::kToolApproval ||
                       asked.reason == InterruptReason::kPossibleDuplicate;
  if (of_call && dice.chance(350)) {
    const int64_t order = dice.chance(150) ? 9 : dice.between(1, 3);
    const bool edits = dice.chance(700);
    decision.decision = edits ? Decision::kEdit : Decision::kRespond;
    decision.given =
        Payload::of(edits ? fmt::format(R"({{"order":{}}})", order) : R"("done by hand")");
  }
  if (decision.decision == Decision::kReject) decision.message = "no";
  const bool approves = decision.decision == Decision::kApprove;
  if (approves && asked.reason == InterruptReason::kPossibleDuplicate) {
    decision.remember = dice.chance(400);
  }
  if (approves && asked.reason == InterruptReason::kBudgetReached) {
    decision.add = asked.needed;
    decision.add.input_tokens = decision.add.output_tokens = 0;
    // Now and then too little, which is refused.
    if (!dice.chance(150)) {
      decision.add.cost_micro_usd += std::max<int64_t>(0, task.spent.cost_micro_usd);
      decision.add.model_calls += dice.between(0, 2);
      decision.add.tool_calls += dice.between(0, 2);
    }
  }
  const auto step = task.steps.find(asked.step);
  if (step != task.steps.end() && dice.chance(500)) {
    decision.args_hash = step->second.args_hash;
    if (dice.chance(world_.knobs().contradictory / 4)) decision.args_hash = sha256("other");
  }
  return decision;
}

void People::answer(const SeenTask& task, Seq seq, const InterruptRequested& asked) {
  const Resolve decision = decide(task, seq, asked);
  given_.push_back({task.id, decision});
  give(task.id, decision, asked.reason);
  if (world_.dice().chance(world_.knobs().contradictory)) {
    give(task.id, decide(task, seq, asked), asked.reason);  // somebody else, at the same moment
  }
}

void People::say_again() {
  Dice& dice = world_.dice();
  Given given = dice.pick(given_);
  const SeenTask& task = world_.evidence().tasks.at(given.task);
  const auto asked = task.asked.find(given.decision.interrupt_seq);
  if (asked == task.asked.end()) return;
  if (dice.chance(500)) {
    given.decision = decide(task, given.decision.interrupt_seq, asked->second);
  }
  give(given.task, given.decision, asked->second.reason);
}

void People::give(const TaskId& task, const Resolve& decision, InterruptReason reason) {
  const SeenTask& seen = world_.evidence().tasks.at(task);
  const auto asked = seen.asked.find(decision.interrupt_seq);
  const bool wrong_args = decision.args_hash && asked != seen.asked.end() &&
                          seen.steps.contains(asked->second.step) &&
                          seen.steps.at(asked->second.step).args_hash != *decision.args_hash;
  world_.decide(task, decision, reason, wrong_args);
}

}  // namespace perdure::sim
