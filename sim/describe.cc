#include <fmt/core.h>

#include "world.h"

namespace perdure::sim {
namespace {

struct Describe {
  std::string operator()(const TurnAccepted& r) const {
    return fmt::format("turn {} upto {}, {} actions{}", r.turn, r.upto_seq, r.actions,
                       r.more ? ", more" : "");
  }
  std::string operator()(const TurnRejected& r) const {
    return fmt::format("turn {}: {}", r.turn, r.reason);
  }
  std::string operator()(const StepPlanned& r) const {
    return fmt::format("{} {} ({}, {})", r.step, r.name, to_string(r.contract.effect),
                       to_string(r.verdict));
  }
  std::string operator()(const StepIntended& r) const {
    return fmt::format("{} attempt {} group {}", r.step, r.attempt, r.group);
  }
  std::string operator()(const StepSettled& r) const {
    return fmt::format("{} attempt {} {} {}", r.step, r.attempt, to_string(r.outcome), r.detail);
  }
  std::string operator()(const StepClosed& r) const {
    return fmt::format("{} {}: {}", r.step, to_string(r.state), r.reason);
  }
  std::string operator()(const TimerSet& r) const {
    return fmt::format("{} due {}", r.timer, r.due_ms);
  }
  std::string operator()(const TimerFired& r) const { return r.timer; }
  std::string operator()(const TimerCleared& r) const { return r.timer; }
  std::string operator()(const InterruptRequested& r) const {
    return fmt::format("{} {}", to_string(r.reason), r.step);
  }
  std::string operator()(const InterruptResolved& r) const {
    return fmt::format("question {}: {}", r.interrupt_seq, to_string(r.decision));
  }
  std::string operator()(const TaskEnding& r) const { return std::string(to_string(r.status)); }
  std::string operator()(const TaskEnded& r) const {
    return fmt::format("{} ({})", to_string(r.status), to_string(r.stop_reason));
  }
  std::string operator()(const StepProgressed& r) const { return r.step + " is " + r.provider_id; }
  std::string operator()(const AnomalyNoted& r) const { return r.step + " " + r.what; }
  template <class Other>
  std::string operator()(const Other&) const {
    return {};
  }
};

}  // namespace

std::string describe(const Record& record) {
  return fmt::format("{} {} {}", record.seq, name_of(record.body),
                     std::visit(Describe{}, record.body));
}

}  // namespace perdure::sim
