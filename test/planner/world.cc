#include "world.h"

#include <bit>
#include <cmath>

#include "base/json.h"

namespace perdure {

void World::record(RecordBody body) {
  records_.push_back({head() + 1, 1'700'000'000'000, std::move(body)});
}

void World::accept(const AnswerTurn& turn) {
  TurnAccepted accepted;
  accepted.turn = turn.turn;
  accepted.upto_seq = turn.upto_seq;
  accepted.state = turn.state;
  record(accepted);
  for (const Action& action : turn.actions) {
    if (const auto* call = std::get_if<CallAction>(&action)) plan(*call);
    if (const auto* timer = std::get_if<TimerAction>(&action)) {
      record(TimerSet{timer->timer, TimerPurpose::kPlanner, 5});
      if (below(2) == 0) record(TimerFired{timer->timer, TimerPurpose::kPlanner});
    }
  }
  end_some();
}

void World::plan(const CallAction& call) {
  StepPlanned planned;
  planned.step = call.step;
  planned.args = call.args;
  const bool denied = call.executed_by == ExecutedBy::kEngine && below(8) == 0;
  planned.verdict = denied ? Verdict::kDeny : Verdict::kAllow;
  record(planned);
  if (denied) return;
  if (call.executed_by == ExecutedBy::kPlanner) {
    settle(call.step, call.outcome, call.result);
  } else {
    open_.push_back(call.step);
  }
}

void World::end_some() {
  for (size_t i = 0; i < open_.size();) {
    if (below(3) == 0) {
      ++i;
      continue;
    }
    const StepId step = open_[i];
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(i));
    end(step);
  }
}

void World::end(const StepId& step) {
  StepClosed closed{step, EffectState::kDenied, "", ""};
  switch (below(12)) {
    case 0:
      closed.state = EffectState::kUnknown;
      return record(closed);
    case 1:
      return record(closed);
    case 2:
      closed.state = EffectState::kSucceeded;
      if (!ended_.empty()) closed.same_as = ended_[below(ended_.size())];
      return record(closed);
    case 3:
      return settle(step, Outcome::kFailed, below(2) == 0 ? any_result() : Payload());
    case 4:
      settle(step, Outcome::kDeferred, any_result());
      return settle(step, Outcome::kSucceeded, any_result());
    case 5:
    case 6:
      return doubt(step);
    default:
      return settle(step, Outcome::kSucceeded, any_result());
  }
}

void World::doubt(const StepId& step) {
  settle(step, Outcome::kInDoubt, {});
  InterruptRequested asked;
  asked.step = step;
  asked.reason =
      below(4) == 0 ? static_cast<InterruptReason>(below(5)) : InterruptReason::kUncertainOutcome;
  record(asked);
  if (below(8) == 0) return;
  InterruptResolved resolved;
  resolved.interrupt_seq = head();
  resolved.decision = static_cast<Decision>(below(6));
  if (below(4) != 0) resolved.given = any_result();
  record(resolved);
  if (below(3) != 0) return;
  record(StepClosed{step, below(2) == 0 ? EffectState::kUnknown : EffectState::kSucceeded, "", ""});
}

void World::settle(const StepId& step, Outcome outcome, Payload result) {
  StepSettled settled;
  settled.step = step;
  settled.outcome = outcome;
  settled.result = std::move(result);
  record(settled);
  ended_.push_back(step);
}

Payload World::any_result() {
  static const char* const kTexts[] = {"1",
                                       "1.0",
                                       "true",
                                       "null",
                                       R"({"ok":true,"x/y~z":1})",
                                       R"([1,{"b":2,"a":[1]}])",
                                       R"({"b":2,"a":[1]})",
                                       R"("\u20ac \ud83d\ude00 \u0000\"\\")",
                                       "not JSON",
                                       "\xff\xfe bytes",
                                       "",
                                       "[1,2",
                                       "1e999",
                                       "0.1234567890123456789",
                                       "123456789012345678901234567890"};
  const uint64_t kind = below(40);
  if (kind == 0) return Payload::blob(sha256("far away"), 1 << 20);
  if (kind < 8) {
    const double number = std::bit_cast<double>(random_());
    if (std::isfinite(number)) return Payload::of(to_canonical_json(number));
  }
  // The first are what conditions test for.
  return Payload::of(kTexts[below(below(2) == 0 ? 7 : std::size(kTexts))]);
}

}  // namespace perdure
