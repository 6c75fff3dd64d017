// journal_prefix, single_writer, terminal_immutable, cancel_complete
#include <fmt/core.h>

#include "checker.h"

namespace perdure::sim {
namespace {

class JournalPrefix : public Checker {
 public:
  using Checker::Checker;
  void on_frame(const SeenTask& before, const Frame& frame,
                const std::vector<Record>& records) override {
    Finding& verdict = evidence_.verdict;
    if (frame.first_seq != before.head + 1) {
      verdict.violation("journal_prefix",
                        fmt::format("{}: a frame from {} follows record {}", frame.task.to_string(),
                                    frame.first_seq, before.head));
    }
    if (const Status chained = verify_frame(frame, before.chain); !chained) {
      verdict.violation("journal_prefix", chained.error().message);
    }
    int64_t last_ms = last_ms_[frame.task];
    for (const Record& record : records) {
      if (record.at_ms < last_ms) {
        verdict.violation("journal_prefix",
                          fmt::format("{}: record {} is older than the one before",
                                      frame.task.to_string(), record.seq));
      }
      last_ms = record.at_ms;
    }
    last_ms_[frame.task] = last_ms;
    if (frame.epoch < before.epoch) {
      verdict.violation(
          "single_writer",
          fmt::format("{}: epoch {} after {}", frame.task.to_string(), frame.epoch, before.epoch));
    }
  }

 private:
  std::map<TaskId, int64_t> last_ms_;
};

class TerminalImmutable : public Checker {
 public:
  using Checker::Checker;
  void on_record(const SeenTask& before, const Record& record) override {
    const bool after_end = std::holds_alternative<TaskAcknowledged>(record.body) ||
                           std::holds_alternative<AnomalyNoted>(record.body);
    if (before.ended && !after_end) {
      return bad(before, record.seq, std::string(name_of(record.body)) + " after the end");
    }
    if (const auto* r = std::get_if<StepSettled>(&record.body)) check(before, record, r->step);
    if (const auto* r = std::get_if<StepIntended>(&record.body)) check(before, record, r->step);
    if (const auto* r = std::get_if<StepClosed>(&record.body)) check(before, record, r->step);
    if (const auto* r = std::get_if<StepPlanned>(&record.body); r && before.steps.contains(r->step))
      bad(before, record.seq, "step '" + r->step + "' is planned again");
    if (std::holds_alternative<TaskEnded>(record.body)) check_all_ended(before, record.seq);
  }

 private:
  void check(const SeenTask& before, const Record& record, const StepId& id) {
    const auto step = before.steps.find(id);
    if (step == before.steps.end()) {
      return bad(before, record.seq, "step '" + id + "' was never planned");
    }
    if (step->second.end) {
      bad(before, record.seq,
          fmt::format("{} for step '{}', which had ended as {} in record {}", name_of(record.body),
                      id, to_string(*step->second.end), step->second.end_seq));
    }
  }
  void check_all_ended(const SeenTask& before, Seq seq) {
    for (const auto& [id, step] : before.steps) {
      if (!step.end) bad(before, seq, "the task ends while step '" + id + "' is open");
    }
    if (!before.questions.empty()) bad(before, seq, "the task ends while a question is open");
    if (!before.timers.empty()) bad(before, seq, "the task ends while a timer is set");
  }
  void bad(const SeenTask& task, Seq seq, const std::string& what) {
    evidence_.verdict.violation("terminal_immutable",
                                fmt::format("{} record {}: {}", task.id.to_string(), seq, what));
  }
};

// After a cancel nothing new is sent, and the task ends as cancelled. The same for every end. What
// may have happened is still asked about, and such a question may have its time.
class CancelComplete : public Checker {
 public:
  using Checker::Checker;
  void on_record(const SeenTask& before, const Record& record) override {
    const Seq ending = before.cancel_seq != 0 ? before.cancel_seq : before.ending_seq;
    if (ending == 0) return;
    const auto* timer = std::get_if<TimerSet>(&record.body);
    const bool starts = std::holds_alternative<StepIntended>(record.body) ||
                        std::holds_alternative<StepPlanned>(record.body) ||
                        std::holds_alternative<TurnAccepted>(record.body) ||
                        (timer != nullptr && timer->purpose != TimerPurpose::kAsk);
    if (starts) {
      evidence_.verdict.violation(
          "cancel_complete",
          fmt::format("{} record {}: {} after the end was decided in {}", before.id.to_string(),
                      record.seq, name_of(record.body), ending));
    }
    const auto* ended = std::get_if<TaskEnded>(&record.body);
    if (ended && before.cancel_seq != 0 && ended->status != TaskStatus::kCancelled) {
      evidence_.verdict.violation(
          "cancel_complete", fmt::format("{}: cancelled, and ended as {}", before.id.to_string(),
                                         to_string(ended->status)));
    }
  }
};

}  // namespace

void add_journal_checkers(Checkers& to, const Evidence& evidence) {
  to.push_back(std::make_unique<JournalPrefix>(evidence));
  to.push_back(std::make_unique<TerminalImmutable>(evidence));
  to.push_back(std::make_unique<CancelComplete>(evidence));
}

}  // namespace perdure::sim
