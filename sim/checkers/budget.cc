// budget
#include <fmt/core.h>

#include "checker.h"

namespace perdure::sim {
namespace {

// At every intent: what was spent, what is reserved and what this call may use fit the limits.
class Budget : public Checker {
 public:
  using Checker::Checker;
  void on_record(const SeenTask& before, const Record& record) override {
    const auto* intent = std::get_if<StepIntended>(&record.body);
    const auto step = intent ? before.steps.find(intent->step) : before.steps.end();
    if (step == before.steps.end()) return;
    const Usage& most = step->second.plan.reserve;
    Usage total = before.spent;
    total += before.reserved();
    total += most;
    const auto over = [](int64_t limit, int64_t used, int64_t wanted) {
      return limit != kUnlimited && wanted != 0 && used > limit;
    };
    const Limits& limits = before.limits;
    if (over(limits.cost_micro_usd, total.cost_micro_usd, most.cost_micro_usd) ||
        over(limits.model_calls, total.model_calls, most.model_calls) ||
        over(limits.tool_calls, total.tool_calls, most.tool_calls)) {
      bad(before, record.seq,
          fmt::format("step '{}' is sent beyond the limits: {} of {} micro-USD, {} of {} model "
                      "calls, {} of {} tool calls",
                      intent->step, total.cost_micro_usd, limits.cost_micro_usd, total.model_calls,
                      limits.model_calls, total.tool_calls, limits.tool_calls));
    }
  }
  // What was counted outside, in whole calls.
  void on_applied(const Sent& sent) override {
    const SeenTask* task = evidence_.task(sent.task);
    if (task == nullptr || task->limits.tool_calls == kUnlimited) return;
    auto& count = tool_calls_[sent.task];
    if (++count > task->limits.tool_calls) {
      bad(*task, task->head,
          fmt::format("{} tool calls have happened, {} were allowed", count,
                      task->limits.tool_calls));
    }
  }
  void on_commit(const Batch& batch) override {
    for (const Frame& frame : batch.frames) {
      const SeenTask& task = evidence_.tasks.at(frame.task);
      if (task.limits.model_calls == kUnlimited) continue;
      const auto counted = evidence_.oracle.model_answers.find(tag_of(task));
      if (counted == evidence_.oracle.model_answers.end()) continue;
      if (counted->second > task.limits.model_calls) {
        bad(task, task.head,
            fmt::format("a model answered {} times, {} were allowed", counted->second,
                        task.limits.model_calls));
      }
    }
  }

 private:
  void bad(const SeenTask& task, Seq seq, const std::string& what) {
    evidence_.verdict.violation("budget",
                                fmt::format("{} record {}: {}", task.id.to_string(), seq, what));
  }
  std::map<TaskId, int64_t> tool_calls_;
};

}  // namespace

void add_budget_checkers(Checkers& to, const Evidence& evidence) {
  to.push_back(std::make_unique<Budget>(evidence));
}

}  // namespace perdure::sim
