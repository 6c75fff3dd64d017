// approval_once, no_send_without_approval
#include <fmt/core.h>

#include <set>

#include "checker.h"

namespace perdure::sim {
namespace {

class ApprovalOnce : public Checker {
 public:
  using Checker::Checker;
  void on_record(const SeenTask& before, const Record& record) override {
    if (const auto* decision = std::get_if<InterruptResolved>(&record.body)) {
      if (before.decisions.contains(decision->interrupt_seq)) {
        bad(before, record.seq,
            fmt::format("question {} is decided a second time", decision->interrupt_seq));
      } else if (!before.questions.contains(decision->interrupt_seq)) {
        bad(before, record.seq,
            fmt::format("question {} was never asked", decision->interrupt_seq));
      } else {
        check_time(before, record, *decision);
      }
    }
    const auto* intent = std::get_if<StepIntended>(&record.body);
    if (intent == nullptr || intent->decision_seq == 0) return;
    if (!used_.insert({before.id, intent->decision_seq}).second) {
      bad(before, record.seq, fmt::format("decision {} is used again", intent->decision_seq));
    }
    const auto question = before.decided_at.find(intent->decision_seq);
    const bool about_it = question != before.decided_at.end() &&
                          before.asked.at(question->second).step == intent->step;
    if (!about_it) bad(before, record.seq, "uses a decision about something else");
  }

 private:
  // What expired is not decided afterwards, and nothing expires before its time.
  void check_time(const SeenTask& before, const Record& record, const InterruptResolved& decision) {
    const Seq asked = decision.interrupt_seq;
    const int64_t expires_ms = before.questions.at(asked).asking.expires_ms;
    const int64_t late_ms = record.at_ms - before.asked_ms.at(asked) - expires_ms;
    const bool late = expires_ms > 0 && late_ms >= 0;
    const bool by_person = !decision.expired && decision.decision != Decision::kWithdrawn;
    // A task's records never go back in time; the wall does, and it is the wall that was asked.
    if (by_person && late && late_ms >= evidence_.clock.jumped_ms()) {
      bad(before, record.seq, fmt::format("question {} had expired before", asked));
    }
    if (decision.expired && !late) {
      bad(before, record.seq, fmt::format("question {} expires early", asked));
    }
  }
  void bad(const SeenTask& task, Seq seq, const std::string& what) {
    evidence_.verdict.violation("approval_once",
                                fmt::format("{} record {}: {}", task.id.to_string(), seq, what));
  }
  std::set<std::pair<TaskId, Seq>> used_;
};

class NoSendWithoutApproval : public Checker {
 public:
  using Checker::Checker;
  void on_record(const SeenTask& before, const Record& record) override {
    const auto* intent = std::get_if<StepIntended>(&record.body);
    const auto step = intent ? before.steps.find(intent->step) : before.steps.end();
    if (!intent || step == before.steps.end()) return;
    check(before, step->first, step->second);
    const bool edited = step->second.args_hash != step->second.plan.args.hash;
    if (!intent->args_hash.is_zero() || edited) {
      if (intent->args_hash != step->second.args_hash) {
        bad(before, step->first, "is meant with other arguments than those that were decided");
      }
    }
  }
  void on_written(const Sent& sent) override {
    const SeenTask* task = evidence_.task(sent.task);
    if (task == nullptr) return;
    const auto step = task->steps.find(sent.step);
    if (step == task->steps.end()) return;
    check(*task, step->first, step->second);
    if (sent.args_hash != step->second.args_hash) {
      bad(*task, step->first, "carries other arguments than those that were decided");
    }
    if (is_forbidden(sent.args)) bad(*task, step->first, "is what the policy denies");
  }

 private:
  static bool is_forbidden(std::string_view args) {
    return args.find(kForbiddenArgs) != std::string_view::npos;
  }

  // Every question that held the step up was answered with yes; and one that must be asked was.
  void check(const SeenTask& task, const StepId& id, const SeenStep& step) {
    if (step.plan.verdict == Verdict::kDeny) return bad(task, id, "is denied");
    bool approved = step.plan.verdict == Verdict::kAllow;
    for (const auto& [seq, asked] : task.asked) {
      const bool gate = asked.reason == InterruptReason::kToolApproval ||
                        asked.reason == InterruptReason::kPossibleDuplicate;
      if (asked.step != id || !gate) continue;
      const auto decision = task.decisions.find(seq);
      if (decision == task.decisions.end()) return bad(task, id, "waits for an answer");
      const Decision word = decision->second.decision;
      if (word != Decision::kApprove && word != Decision::kEdit) {
        return bad(task, id, "was rejected");
      }
      approved = true;
    }
    if (!approved) bad(task, id, "was not asked about");
  }
  void bad(const SeenTask& task, const StepId& step, std::string_view why) {
    evidence_.verdict.violation(
        "no_send_without_approval",
        fmt::format("{} step '{}' is sent, and it {}", task.id.to_string(), step, why));
  }
};

// Two equal guarded calls that act are never both sent unless a person or the operator allowed it.
class WishOnce : public Checker {
 public:
  using Checker::Checker;
  void on_record(const SeenTask& before, const Record& record) override {
    const auto* intent = std::get_if<StepIntended>(&record.body);
    if (intent == nullptr || intent->attempt != 1) return;
    const auto step = before.steps.find(intent->step);
    if (step == before.steps.end()) return;
    const StepPlanned& plan = step->second.plan;
    const Sha256& identity = step->second.identity;
    if (!plan.guarded || identity.is_zero() || plan.kind != CallKind::kTool) return;
    if (plan.contract.effect <= EffectClass::kRepeat) return;
    for (const auto& [id, other] : before.steps) {
      if (other.wished_seq >= step->second.wished_seq || !other.plan.guarded) continue;
      if (other.identity != identity || !in_the_way(other, plan, record.seq)) continue;
      if (!was_asked(before, intent->step) && !remembered(before, identity)) {
        evidence_.verdict.violation(
            "wish_once", fmt::format("{} record {}: step '{}' wishes what step '{}' wished, and "
                                     "nobody was asked",
                                     before.id.to_string(), record.seq, intent->step, id));
      }
    }
  }

 private:
  // Judged at the time when the later call was planned: what ended since does not count.
  bool in_the_way(const SeenStep& other, const StepPlanned& plan, Seq) const {
    const bool succeeded = other.end == EffectState::kSucceeded;
    if (succeeded) return !plan.contract.repeat_allowed && !other.asserted;
    return !other.end && other.in_doubt;
  }
  bool was_asked(const SeenTask& task, const StepId& step) const {
    for (const auto& [seq, asked] : task.asked) {
      if (asked.step == step && asked.reason == InterruptReason::kPossibleDuplicate) return true;
    }
    return false;
  }
  bool remembered(const SeenTask& task, const Sha256& identity) const {
    for (const auto& [seq, decision] : task.decisions) {
      const auto asked = task.steps.find(task.asked.at(seq).step);
      if (decision.remember && asked != task.steps.end() && asked->second.identity == identity) {
        return true;
      }
    }
    return false;
  }
};

}  // namespace

void add_decision_checkers(Checkers& to, const Evidence& evidence) {
  to.push_back(std::make_unique<ApprovalOnce>(evidence));
  to.push_back(std::make_unique<NoSendWithoutApproval>(evidence));
  to.push_back(std::make_unique<WishOnce>(evidence));
}

}  // namespace perdure::sim
