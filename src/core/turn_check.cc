#include "core/turn_check.h"

#include <fmt/core.h>

#include <set>

namespace perdure::core {
namespace {

// Of one call, in any unit: far beyond any call, and sums of many still are numbers.
constexpr int64_t kReserveMax = 1'000'000'000'000'000;

class Checker {
 public:
  Checker(const TaskState& state, const AnswerTurn& turn) : state_(state), turn_(turn) {}

  std::optional<std::string> check() {
    if (turn_.actions.size() > kActionsMax) {
      return fmt::format("{} actions, at most {} in a turn", turn_.actions.size(), kActionsMax);
    }
    for (size_t i = 0; i < turn_.actions.size() && !error_; ++i) {
      index_ = i;
      std::visit(*this, turn_.actions[i]);
    }
    if (!error_ && !ends_) check_await(turn_.await, 0);
    if (!error_ && !ends_) check_progress();
    return error_;
  }

  void operator()(const CallAction& call) {
    check_new_step(call.step);
    check_name(call.name, "tool or model name");
    check_reserve(call.reserve);
    check_place(call.args);
    if (call.executed_by == ExecutedBy::kEngine) {
      ++pending_;
      return;
    }
    ++done_;
    check_place(call.result);
    if (!may_run_again(call.contract.effect)) {
      say(fmt::format("'{}' is {}: only read and repeat may run inside the planner", call.name,
                      to_string(call.contract.effect)));
    } else if (call.outcome != Outcome::kSucceeded && call.outcome != Outcome::kFailed) {
      say("a call that ran inside the planner has succeeded or failed");
    }
  }

  void operator()(const TimerAction& action) {
    check_name(action.timer, "timer id");
    if (!action.timer.empty() && action.timer.front() == '!')
      say("timer ids do not begin with '!'");
    if (state_.timers.contains(action.timer) || state_.fired.contains(action.timer) ||
        !timers_.insert(action.timer).second) {
      say(fmt::format("timer '{}' exists already", action.timer));
    }
    if (action.after_ms < 0 || action.at_ms < 0) say("a timer lies in the future");
    ++pending_;
  }

  void operator()(const NoteAction& action) { check_place(action.note); }
  void operator()(const AskAction& action) {
    check_new_step(action.step);
    check_name(action.name, "tool name");
    check_message(action.message);
    check_place(action.args);
    ++pending_;
  }
  void operator()(const InterruptAction& action) {
    const bool known = action.reason == InterruptReason::kLoopDetected ||
                       action.reason == InterruptReason::kProviderRefusal ||
                       action.reason == InterruptReason::kAuthRequired;
    if (!known) {
      say(fmt::format("a planner does not raise '{}'", to_string(action.reason)));
    }
    if (raised_) say("one interrupt in a turn");
    check_message(action.message);
    raised_ = true;
    ++pending_;
  }
  void operator()(const CompleteAction& action) {
    check_place(action.result);
    check_end();
  }
  void operator()(const FailAction&) { check_end(); }

 private:
  void say(std::string what) {
    if (!error_) error_ = fmt::format("action {}: {}", index_, what);
  }

  void check_name(const std::string& name, std::string_view what) {
    if (name.empty() || name.size() > kNameMaxBytes) {
      say(fmt::format("a {} has 1 to {} bytes", what, kNameMaxBytes));
    }
  }

  void check_new_step(const StepId& step) {
    check_name(step, "step id");
    if (state_of_step(state_, step) || !steps_.insert(step).second) {
      say(fmt::format("step '{}' exists already", step));
    }
  }

  void check_message(const std::string& message) {
    if (message.empty() || message.size() > kQuestionMaxBytes) {
      say(fmt::format("a question has 1 to {} bytes", kQuestionMaxBytes));
    }
  }

  // A part of what the journal does not hold could never be read again.
  void check_place(const Payload& payload) {
    if (payload.place != Payload::Place::kWithin) return;
    if (payload.within_seq == 0 || payload.within_seq > state_.head) {
      say(fmt::format("a payload is a part of record {}, which does not exist",
                      payload.within_seq));
    }
  }

  void check_reserve(const Usage& reserve) {
    for (const int64_t number : {reserve.cost_micro_usd, reserve.model_calls, reserve.tool_calls,
                                 reserve.input_tokens, reserve.output_tokens}) {
      if (number < 0 || number > kReserveMax) {
        say(fmt::format("a call cannot reserve {}: from 0 to {}", number, kReserveMax));
      }
    }
  }

  void check_end() {
    if (index_ + 1 != turn_.actions.size()) say("nothing may follow the end of the task");
    if (pending_ > 0) say("the task cannot end in the turn that starts calls or timers");
    ends_ = true;
  }

  void check_await(const Await& await, size_t depth) {
    if (++nodes_ > kAwaitMaxNodes || depth > kAwaitMaxDepth) {
      error_ =
          fmt::format("await: more than {} nodes or {} levels", kAwaitMaxNodes, kAwaitMaxDepth);
    }
    if (error_) return;
    switch (await.op) {
      case Await::Op::kNews:
        if (depth > 0) error_ = "await: 'news' stands alone";
        break;
      case Await::Op::kStep:
        if (!state_of_step(state_, await.name) && !steps_.contains(await.name)) {
          error_ = fmt::format("await: there is no step '{}'", await.name);
        }
        break;
      case Await::Op::kTimer:
        if (!is_planner_timer(await.name)) {
          error_ = fmt::format("await: there is no timer '{}'", await.name);
        }
        break;
      case Await::Op::kAny:
      case Await::Op::kAll:
        if (await.of.empty()) error_ = "await: any and all need something to wait for";
        for (const Await& child : await.of) check_await(child, depth + 1);
        break;
    }
  }

  // Timers of the engine fire unseen by planners.
  bool is_planner_timer(const TimerId& id) const {
    const auto set = state_.timers.find(id);
    const bool waits = set != state_.timers.end() && set->second.purpose == TimerPurpose::kPlanner;
    return waits || state_.fired.contains(id) || timers_.contains(id);
  }

  // A task that waits for nothing would wait for ever.
  void check_progress() {
    if (turn_.more || turn_.await.op != Await::Op::kNews || pending_ + done_ > 0) return;
    const bool something_open = !state_.open.empty() || !state_.timers.empty();
    if (!something_open && state_.news_seq <= turn_.upto_seq) {
      error_ = "the turn leaves nothing to wait for and does not end the task";
    }
  }

  const TaskState& state_;
  const AnswerTurn& turn_;
  std::optional<std::string> error_;
  size_t index_ = 0;
  size_t nodes_ = 0;
  size_t pending_ = 0;  // calls, timers and questions whose end is news later
  size_t done_ = 0;     // calls whose end is news at once
  bool ends_ = false;
  bool raised_ = false;
  std::set<StepId> steps_;
  std::set<TimerId> timers_;
};

}  // namespace

std::optional<std::string> malformed(const TaskState& state, const AnswerTurn& turn) {
  return Checker(state, turn).check();
}

}  // namespace perdure::core
