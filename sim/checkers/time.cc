// timer_once_not_early
#include <fmt/core.h>

#include "checker.h"

namespace perdure::sim {
namespace {

class TimerOnceNotEarly : public Checker {
 public:
  using Checker::Checker;
  void on_record(const SeenTask& before, const Record& record) override {
    if (const auto* set = std::get_if<TimerSet>(&record.body)) {
      if (before.timers.contains(set->timer)) bad(before, record.seq, set->timer, "is set twice");
    }
    const auto* fired = std::get_if<TimerFired>(&record.body);
    if (fired == nullptr) return;
    const auto timer = before.timers.find(fired->timer);
    if (timer == before.timers.end()) {
      return bad(before, record.seq, fired->timer, "fires, and is not set");
    }
    if (record.at_ms < timer->second.due_ms) {
      bad(before, record.seq, fired->timer,
          fmt::format("fires {} ms early", timer->second.due_ms - record.at_ms));
    }
  }

 private:
  void bad(const SeenTask& task, Seq seq, const TimerId& timer, std::string_view what) {
    evidence_.verdict.violation(
        "timer_once_not_early",
        fmt::format("{} record {}: timer '{}' {}", task.id.to_string(), seq, timer, what));
  }
};

}  // namespace

void add_time_checkers(Checkers& to, const Evidence& evidence) {
  to.push_back(std::make_unique<TimerOnceNotEarly>(evidence));
}

}  // namespace perdure::sim
