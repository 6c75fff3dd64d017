#include "random_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "journal/message_json.h"

namespace perdure::test {
namespace {

constexpr uint64_t kTurnsMax = 24;
constexpr uint32_t kAttemptsMax = 3;

}  // namespace

Seq RandomWorld::add(RecordBody body) {
  const Seq seq = journal_.add(std::move(body));
  transcript_.apply(journal_.records().back());
  return seq;
}

void RandomWorld::run() {
  TaskCreated created;
  created.input = Payload::of(R"("an order")");
  add(std::move(created));
  while (!ended_ && !::testing::Test::HasFailure()) {
    if (chance(10)) noise();
    if (await_holds()) {
      plan();
      continue;
    }
    const auto early = plan_agent_turn(spec_, transcript_, turn_ + 1, transcript_.seq(), {});
    ASSERT_FALSE(early) << "planned while an outcome is awaited: " << show(*early);
    ASSERT_EQ(early.error().code, Code::kConflict) << early.error().message;
    ++plans_refused_;
    std::vector<StepId> open;
    for (const auto& [id, step] : steps_) {
      if (step.at != At::kEnded) open.push_back(id);
    }
    ASSERT_FALSE(open.empty());
    const StepId& id = open[below(open.size())];
    advance(id, steps_.at(id));
  }
}

bool RandomWorld::await_holds() const {
  return std::all_of(awaited_.begin(), awaited_.end(),
                     [&](const StepId& id) { return steps_.at(id).at == At::kEnded; });
}

void RandomWorld::plan() {
  const Seq upto = transcript_.seq();
  const auto turn = plan_agent_turn(spec_, transcript_, ++turn_, upto, {{"main", {{1000, 4000}}}});
  ASSERT_TRUE(turn) << turn.error().message;
  ASSERT_FALSE(turn->actions.empty());
  PlannedTurn& planned = turns_.emplace_back();
  planned.upto_seq = upto;
  planned.anew = std::exchange(mended_, false);
  planned.shown = show(*turn);
  TurnAccepted accepted;
  accepted.turn = turn_;
  accepted.upto_seq = upto;
  accepted.await = turn->await;
  add(std::move(accepted));
  awaited_.clear();
  if (!turn->await.name.empty()) awaited_.insert(turn->await.name);
  for (const Await& each : turn->await.of) awaited_.insert(each.name);
  for (const Action& action : turn->actions) {
    if (const auto* call = std::get_if<CallAction>(&action)) {
      EXPECT_TRUE(awaited_.contains(call->step));
      planned.calls_model = call->kind == CallKind::kModel;
      if (planned.calls_model) planned.model = call->name;
      if (planned.calls_model && transcript_.stage() == Transcript::Stage::kModelFailed) {
        seen_.insert("asked another");
      }
      if (planned.calls_model) planned.request = show(transcript_.request(spec_).messages);
      begin(*call);
      continue;
    }
    if (const auto* note = std::get_if<NoteAction>(&action)) {
      EXPECT_TRUE(turn->more);
      seen_.insert("told");
      add(Noted{note->note});
      continue;
    }
    if (const auto* raised = std::get_if<InterruptAction>(&action)) {
      const Seq asked = add(InterruptRequested{raised->reason, {}, raised->message, {}, {}, {}});
      InterruptResolved decision;
      decision.interrupt_seq = asked;
      decision.decision = chance(70) ? Decision::kApprove : Decision::kReject;
      const bool goes_on = decision.decision == Decision::kApprove;
      seen_.insert(goes_on ? "mended" : "not mended");
      add(std::move(decision));
      ended_ = !goes_on;
      mended_ = goes_on;
      continue;
    }
    const auto* failed = std::get_if<FailAction>(&action);
    seen_.insert(failed ? std::string(to_string(failed->stop_reason)) : "completed");
    TaskEnded end;
    end.status = failed ? TaskStatus::kFailed : TaskStatus::kCompleted;
    add(std::move(end));
    ended_ = true;
  }
}

void RandomWorld::begin(const CallAction& call) {
  ASSERT_FALSE(steps_.contains(call.step)) << "a step was planned twice: " << call.step;
  Step& step = steps_[call.step];
  step.kind = call.kind;
  StepPlanned planned;
  planned.step = call.step;
  planned.kind = call.kind;
  planned.name = call.name;
  planned.args = call.args;
  planned.verdict = call.verdict == Verdict::kDeny ? Verdict::kDeny : Verdict::kAllow;
  planned.verdict_reason = call.verdict_reason;
  if (call.kind == CallKind::kTool) {
    tools_.push_back(call.step);
    if (planned.verdict == Verdict::kAllow && chance(10)) {
      planned.verdict = Verdict::kDeny;
      planned.verdict_reason = "policy";
    }
  }
  const bool denied = planned.verdict == Verdict::kDeny;
  const std::string reason = planned.verdict_reason;
  add(std::move(planned));
  if (!denied) return;
  seen_.insert(reason == "policy" ? "denied" : "malformed");
  step.at = At::kEnded;
  if (chance(50)) add(StepClosed{call.step, EffectState::kDenied, reason, {}});
}

void RandomWorld::advance(const StepId& id, Step& step) {
  switch (step.at) {
    case At::kReady:
      if (step.kind == CallKind::kTool && step.attempts == 0) {
        if (chance(15)) return ask(id, step, InterruptReason::kToolApproval, At::kAwaitsApproval);
        if (tools_.size() > 1 && chance(15)) {
          return ask(id, step, InterruptReason::kPossibleDuplicate, At::kAwaitsDuplicate);
        }
      }
      add(StepIntended{id, ++step.attempts, 1, 0, 0, {}});
      step.at = At::kIntent;
      return;
    case At::kAwaitsApproval:
      return decide_approval(id, step);
    case At::kAwaitsDuplicate:
      return decide_duplicate(id, step);
    case At::kIntent:
      return from_intent(id, step);
    case At::kInDoubt:
      return from_doubt(id, step);
    case At::kNeedsHuman:
      return decide_doubt(id, step);
    case At::kEnded:
      return;
  }
}

void RandomWorld::from_intent(const StepId& id, Step& step) {
  const size_t dice = below(100);
  if (dice < 55) {
    settle(id, step, Outcome::kSucceeded);
    step.at = At::kEnded;
  } else if (dice < (step.kind == CallKind::kModel ? 57 : 70)) {
    settle(id, step, Outcome::kFailed);
    step.at = At::kEnded;
  } else if (dice < 85) {
    settle(id, step, Outcome::kInDoubt);
    step.at = At::kInDoubt;
  } else {
    settle(id, step, chance(50) ? Outcome::kNotSent : Outcome::kDeferred);
    step.at = At::kReady;
    if (step.attempts >= kAttemptsMax) close(id, step, EffectState::kFailed);
  }
}

void RandomWorld::from_doubt(const StepId& id, Step& step) {
  const size_t dice = below(100);
  if (step.attempts < kAttemptsMax && dice < 60) {
    seen_.insert("sent again");
    add(StepIntended{id, ++step.attempts, 1, 0, 0, {}});
    step.at = At::kIntent;
  } else if (dice < 75 || step.kind == CallKind::kModel) {
    seen_.insert("unknown");
    close(id, step, EffectState::kUnknown);
  } else {
    ask(id, step, InterruptReason::kUncertainOutcome, At::kNeedsHuman);
  }
}

void RandomWorld::decide_approval(const StepId& id, Step& step) {
  if (chance(60)) {
    resolve(step, Decision::kApprove, "");
    step.at = At::kIntent;
    add(StepIntended{id, ++step.attempts, 1, 0, journal_.records().size(), {}});
    return;
  }
  seen_.insert("refused");
  resolve(step, Decision::kReject, chance(50) ? some_words() : "");
  step.at = At::kEnded;
  if (chance(50)) add(StepClosed{id, EffectState::kDenied, "rejected", {}});
}

void RandomWorld::decide_duplicate(const StepId& id, Step& step) {
  if (chance(30)) {
    resolve(step, Decision::kApprove, "");
    step.at = At::kIntent;
    add(StepIntended{id, ++step.attempts, 1, 0, 0, {}});
    return;
  }
  const auto self = std::find(tools_.begin(), tools_.end(), id);
  if (self == tools_.begin()) return;  // nothing is earlier: wait for an approval
  seen_.insert("duplicate");
  resolve(step, Decision::kReject, "");
  close(id, step, EffectState::kDenied, tools_[below(self - tools_.begin())]);
}

void RandomWorld::decide_doubt(const StepId& id, Step& step) {
  (void)id;
  seen_.insert("doubt decided");
  switch (below(3)) {
    case 0:
      resolve(step, Decision::kHappened, "", chance(50) ? Payload::of(some_words()) : Payload());
      break;
    case 1:
      resolve(step, Decision::kNotHappened, some_words());
      break;
    default:
      resolve(step, Decision::kDismiss, "");
      break;
  }
  step.at = At::kEnded;
}

void RandomWorld::settle(const StepId& id, Step& step, Outcome outcome) {
  StepSettled settled;
  settled.step = id;
  settled.attempt = step.attempts;
  settled.outcome = outcome;
  if (outcome == Outcome::kFailed) {
    const bool no_key = step.kind == CallKind::kModel && chance(50);
    settled.failure = no_key ? FailureClass::kAuth : FailureClass::kInvalid;
    settled.detail = some_words();
  }
  if (outcome == Outcome::kSucceeded) {
    if (step.kind == CallKind::kModel) {
      settled.result = Payload::of(answer_to_json(random_answer()));
    } else if (chance(90)) {
      settled.result = Payload::of(some_words());
    }
  }
  add(std::move(settled));
}

void RandomWorld::close(const StepId& id, Step& step, EffectState state, StepId same_as) {
  add(StepClosed{id, state, some_words(), std::move(same_as)});
  step.at = At::kEnded;
}

void RandomWorld::ask(const StepId& id, Step& step, InterruptReason reason, At at) {
  step.question = add(InterruptRequested{reason, id, "?", {}});
  step.at = at;
}

void RandomWorld::resolve(Step& step, Decision decision, std::string message, Payload result) {
  InterruptResolved resolved;
  resolved.interrupt_seq = step.question;
  resolved.decision = decision;
  resolved.by = "ann";
  resolved.message = std::move(message);
  resolved.given = std::move(result);
  add(std::move(resolved));
}

// Records that mean nothing to the conversation, and late outcomes of calls that have one.
void RandomWorld::noise() {
  const StepId late = tools_.empty() ? "t9.9" : tools_[below(tools_.size())];
  switch (below(6)) {
    case 0:
      add(Noted{Payload::of("note")});
      return;
    case 1:
      add(TimerSet{"retry", TimerPurpose::kRetry, 5});
      return;
    case 2:
      add(TurnRejected{turn_ + 1, 1, "lease ended"});
      return;
    case 3:
      add(AnomalyNoted{late, 1, "a late answer", Payload::of("x")});
      return;
    case 4:
      add(InterruptRequested{InterruptReason::kBudgetReached, {}, "?", {}});
      return;
    default:
      if (steps_.contains(late) && steps_.at(late).at == At::kEnded) {
        add(StepClosed{late, EffectState::kFailed, "late", {}});
      }
  }
}

ModelAnswer RandomWorld::random_answer() {
  ModelAnswer answer = answer_with(chance(50) ? some_words() : chance(50) ? R"({"done":1})" : "");
  if (chance(3)) answer.stop = ModelAnswer::Stop::kTruncated;
  if (chance(2)) answer.stop = ModelAnswer::Stop::kRefusal;
  if (turn_ >= kTurnsMax || chance(12)) return answer;
  const size_t calls = 1 + below(4);
  for (size_t i = 0; i < calls; ++i) {
    const char* names[] = {"look", "pay", "ship", "lok"};
    const char* arguments[] = {R"({"n":1})", R"({"n":2})", "", "not json", "{}"};
    const char* ids[] = {"x", "y", "", "call_1_0"};
    const bool odd = chance(20);
    answer.calls.push_back({odd ? ids[below(4)] : "c" + std::to_string(below(1'000'000)),
                            names[chance(10) ? 3 : below(3)],
                            arguments[chance(10) ? 3 : below(3)]});
  }
  return answer;
}

}  // namespace perdure::test
