// turn_atomic
#include <fmt/core.h>

#include "checker.h"

namespace perdure::sim {
namespace {

// The name of what an action left in the journal; empty if the record is no action's.
std::string action_of(const RecordBody& body) {
  if (const auto* r = std::get_if<StepPlanned>(&body)) return "call " + r->step;
  if (const auto* r = std::get_if<TimerSet>(&body)) {
    return r->purpose == TimerPurpose::kPlanner ? "timer " + r->timer : "";
  }
  if (const auto* r = std::get_if<InterruptRequested>(&body)) {
    const bool raised =
        r->reason == InterruptReason::kLoopDetected || r->reason == InterruptReason::kAuthRequired;
    return raised ? "interrupt" : "";
  }
  if (std::holds_alternative<Noted>(body)) return "note";
  if (std::holds_alternative<TaskEnding>(body)) return "end";
  if (std::holds_alternative<TaskEnded>(body)) return "end";
  return {};
}

class TurnAtomic : public Checker {
 public:
  using Checker::Checker;
  void on_frame(const SeenTask& before, const Frame&, const std::vector<Record>& records) override {
    uint64_t turns = before.turns;
    for (size_t i = 0; i < records.size(); ++i) {
      const auto* accepted = std::get_if<TurnAccepted>(&records[i].body);
      if (accepted == nullptr) continue;
      if (accepted->turn != ++turns) {
        return bad(before, records[i].seq,
                   fmt::format("turn {} is accepted after turn {}", accepted->turn, turns - 1));
      }
      check(before, records, i, *accepted);
    }
  }

 private:
  void check(const SeenTask& before, const std::vector<Record>& records, size_t at,
             const TurnAccepted& accepted) {
    std::vector<std::string> left;
    for (size_t i = at + 1; i < records.size() && left.size() < accepted.actions; ++i) {
      if (std::holds_alternative<TurnAccepted>(records[i].body)) break;
      if (std::string action = action_of(records[i].body); !action.empty()) {
        left.push_back(std::move(action));
      }
    }
    if (left.size() != accepted.actions) {
      return bad(before, records[at].seq,
                 fmt::format("turn {} has {} actions, and {} stand in its commit", accepted.turn,
                             accepted.actions, left.size()));
    }
    const auto said = evidence_.answers.find({before.id, accepted.turn, accepted.answer_hash});
    if (said == evidence_.answers.end() || accepted.actions == 0) return;
    if (said->second != left) {
      bad(before, records[at].seq,
          fmt::format("turn {} is not what its planner said", accepted.turn));
    }
  }
  void bad(const SeenTask& task, Seq seq, const std::string& what) {
    evidence_.verdict.violation("turn_atomic",
                                fmt::format("{} record {}: {}", task.id.to_string(), seq, what));
  }
};

}  // namespace

void add_turn_checkers(Checkers& to, const Evidence& evidence) {
  to.push_back(std::make_unique<TurnAtomic>(evidence));
}

}  // namespace perdure::sim
