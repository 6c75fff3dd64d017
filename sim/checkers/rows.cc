// rows_match: what a commit writes beside the frames says what the frames say, so that a task can
// be found by it.
#include <fmt/core.h>

#include <set>

#include "checker.h"

namespace perdure::sim {
namespace {

class RowsMatch : public Checker {
 public:
  using Checker::Checker;
  void on_commit(const Batch& batch) override {
    for (const Frame& frame : batch.frames) check(evidence_.tasks.at(frame.task));
  }

 private:
  void check(const SeenTask& task) {
    check_interrupts(task);
    check_timers(task);
    const auto row = evidence_.disk.rows.tasks.find(task.id);
    if (row == evidence_.disk.rows.tasks.end()) return bad(task, "it has no row");
    check_row(task, row->second);
  }

  void check_interrupts(const SeenTask& task) {
    const auto& rows = evidence_.disk.rows.interrupts;
    size_t count = 0;
    for (auto row = rows.lower_bound({task.id, 0}); row != rows.end() && row->first.task == task.id;
         ++row, ++count) {
      if (!task.questions.contains(row->first.seq)) {
        bad(task, fmt::format("question {} has a row and is not open", row->first.seq));
      }
    }
    if (count != task.questions.size()) bad(task, "an open question has no row");
  }

  void check_timers(const SeenTask& task) {
    const auto& rows = evidence_.disk.rows.timers;
    size_t count = 0;
    for (auto row = rows.lower_bound({task.id, ""});
         row != rows.end() && row->first.first == task.id; ++row, ++count) {
      const auto timer = task.timers.find(row->first.second);
      if (timer == task.timers.end() || timer->second.due_ms != row->second) {
        bad(task, fmt::format("the row of timer '{}' is not the timer", row->first.second));
      }
    }
    if (count != task.timers.size()) bad(task, "a timer has no row");
  }

  void check_row(const SeenTask& task, const TaskRow& row) {
    if (task.ended) {
      if (row.status != task.ended->status || row.ended_seq != task.ended_seq) {
        bad(task, "the row does not tell its end");
      }
      return;
    }
    if (is_terminal(row.status)) bad(task, "the row tells an end that is not");
    const bool ending = task.cancel_seq != 0 || task.ending_seq != 0;
    const bool asks = !task.questions.empty() && !ending;
    if (asks != (row.status == TaskStatus::kInputRequired)) {
      bad(task, fmt::format("the row says {} with {} open questions", to_string(row.status),
                            task.questions.size()));
    }
    if (ending != (row.phase != Phase::kRunning)) bad(task, "the row does not tell its phase");
    if (task.anything_sent() && !row.runnable) {
      bad(task, "an intent is open, and a restart would not look at the task");
    }
    const bool waits = !task.questions.empty() || !task.timers.empty();
    if (!waits && !row.runnable) {
      evidence_.verdict.violation("liveness",
                                  fmt::format("{} at record {}: nothing that it waits for exists, "
                                              "and a restart would not look at it",
                                              task.id.to_string(), task.head));
    }
  }

  void bad(const SeenTask& task, const std::string& what) {
    evidence_.verdict.violation(
        "rows_match", fmt::format("{} at record {}: {}", task.id.to_string(), task.head, what));
  }
};

}  // namespace

void add_row_checkers(Checkers& to, const Evidence& evidence) {
  to.push_back(std::make_unique<RowsMatch>(evidence));
}

}  // namespace perdure::sim
