// damage_never_acted_on
#include <fmt/core.h>

#include <algorithm>

#include "checker.h"

namespace perdure::sim {
namespace {

// Bits change while no process lives: whatever it does for a task it has read before.
class DamageNeverActedOn : public Checker {
 public:
  using Checker::Checker;
  void on_frame(const SeenTask&, const Frame& frame, const std::vector<Record>&) override {
    check(frame.task, "its journal goes on");
  }
  void on_written(const Sent& sent) override { check(sent.task, "a call is sent for it"); }
  void on_model_written(const std::string& tag) override {
    for (const auto& [id, task] : evidence_.tasks) {
      if (tag_of(task) == tag) check(id, "a model is asked for it");
    }
  }
  void on_ack(const Ack& ack) override {
    if (!std::holds_alternative<Submit>(ack.command) && !ack.result.repeated) {
      check(ack.result.task, "a command is acknowledged");
    }
  }

 private:
  void check(const TaskId& task, std::string_view what) {
    if (!evidence_.disk.decay.misleads(task)) return;
    evidence_.verdict.violation(
        "damage_never_acted_on",
        fmt::format("{} is not what was written, and {}", task.to_string(), what));
  }
};

}  // namespace

void add_damage_checkers(Checkers& to, const Evidence& evidence) {
  to.push_back(std::make_unique<DamageNeverActedOn>(evidence));
}

}  // namespace perdure::sim
