// intent_before_send, recorded_not_paid_again, once_at_most_once, idem_effect_once, done_honest,
// notdone_honest
#include <fmt/core.h>

#include "checker.h"

namespace perdure::sim {
namespace {

std::string describe(const Sent& sent) {
  return fmt::format("{} step '{}' attempt {} ({})", sent.task.to_string(), sent.step, sent.attempt,
                     to_string(sent.effect));
}

bool acts(EffectClass effect) {
  return effect >= EffectClass::kIdempotent;
}

class IntentBeforeSend : public Checker {
 public:
  using Checker::Checker;
  void on_written(const Sent& sent) override { check(sent, "is written"); }
  void on_applied(const Sent& sent) override { check(sent, "has happened"); }

 private:
  void check(const Sent& sent, std::string_view what) {
    const SeenTask* task = evidence_.task(sent.task);
    const auto step = task ? task->steps.find(sent.step) : decltype(task->steps.end())();
    if (task != nullptr && step != task->steps.end()) {
      for (const SeenIntent& intent : step->second.intents) {
        if (intent.record.attempt == sent.attempt && intent.record.group == sent.group) return;
      }
    }
    evidence_.verdict.violation(
        "intent_before_send", fmt::format("{} {}, and no intent is durable", describe(sent), what));
  }
};

// A request to a model has a durable intent of its own, and none leaves while every answer that was
// asked for is recorded.
class ModelCalls : public Checker {
 public:
  using Checker::Checker;
  void on_model_written(const std::string& tag) override {
    for (const auto& [id, task] : evidence_.tasks) {
      if (tag_of(task) == tag) return check(task, tag);
    }
    evidence_.verdict.violation("intent_before_send",
                                tag + ": a model is asked, and nothing of the task is durable");
  }

 private:
  void check(const SeenTask& task, const std::string& tag) {
    uint64_t intents = 0;
    bool open = false;
    for (const auto& [id, step] : task.steps) {
      if (step.plan.kind != CallKind::kModel || step.plan.executed_by != ExecutedBy::kEngine) {
        continue;
      }
      intents += step.intents.size();
      open |= step.intent_open;
    }
    const uint64_t written = evidence_.oracle.model_written.at(tag);
    if (written > intents) {
      evidence_.verdict.violation(
          "intent_before_send",
          fmt::format("{}: {} requests to models, and {} durable intents", tag, written, intents));
    } else if (!open) {
      evidence_.verdict.violation("recorded_not_paid_again",
                                  tag + ": a model is asked, and every answer is recorded");
    }
  }
};

// A call that its provider has taken under a name that is durable is not made again before what
// became of it was told: its answer is fetched.
class Fetched : public Checker {
 public:
  using Checker::Checker;
  void on_step_asks_model(const std::string& tag, const StepId& step_id) override {
    for (const auto& [id, task] : evidence_.tasks) {
      const auto step = task.steps.find(step_id);
      if (tag_of(task) != tag || step == task.steps.end()) continue;
      for (const std::string& name : step->second.provider_ids) {
        if (evidence_.oracle.background.at(name).told) continue;
        evidence_.verdict.violation(
            "fetched_not_called_again",
            fmt::format("{} step '{}' is asked for again, and {} is still to be fetched",
                        id.to_string(), step_id, name));
      }
    }
  }
};

// One attempt is written once; and a call that acts and knows no key is not written again unless
// its sender was told that the earlier ones were not executed.
class OnceAtMostOnce : public Checker {
 public:
  using Checker::Checker;
  void on_written(const Sent& sent) override {
    const auto& sends = evidence_.oracle.sends.at({sent.task, sent.step});
    for (const Sent& earlier : sends) {
      if (&earlier == &sent || !earlier.written) continue;
      if (earlier.attempt == sent.attempt) bad(sent, "is written twice");
      const bool once = sent.effect == EffectClass::kOnce || sent.effect == EffectClass::kProbe;
      if (once && earlier.fate != Sent::Fate::kNotExecuted) {
        bad(sent,
            fmt::format("is written after attempt {}, which may have happened", earlier.attempt));
      }
    }
  }
  void on_applied(const Sent& sent) override {
    const bool once = sent.effect == EffectClass::kOnce || sent.effect == EffectClass::kProbe;
    const size_t times = evidence_.oracle.times_applied({sent.task, sent.step});
    if (once && times > 1) bad(sent, fmt::format("has happened {} times", times));
  }

 private:
  void bad(const Sent& sent, const std::string& what) {
    evidence_.verdict.violation("once_at_most_once", describe(sent) + " " + what);
  }
};

class IdemEffectOnce : public Checker {
 public:
  using Checker::Checker;
  void on_written(const Sent& sent) override {
    const auto& keys = evidence_.oracle.keys;
    const auto owner = keys.find(sent.key);
    const Position position{sent.task, sent.step};
    if (owner != keys.end() && owner->second != std::pair(position, sent.group)) {
      bad(sent, fmt::format("carries the key of step '{}' of {}", owner->second.first.second,
                            owner->second.first.first.to_string()));
    }
    for (const Sent& earlier : evidence_.oracle.sends.at(position)) {
      if (earlier.group == sent.group && earlier.key != sent.key) {
        bad(sent, "carries another key than its group");
      }
    }
  }
  void on_applied(const Sent& sent) override {
    if (sent.effect != EffectClass::kIdempotent) return;
    const size_t times = evidence_.oracle.times_applied({sent.task, sent.step});
    if (times > 1) bad(sent, fmt::format("has had its effect {} times", times));
  }

 private:
  void bad(const Sent& sent, const std::string& what) {
    evidence_.verdict.violation("idem_effect_once", describe(sent) + " " + what);
  }
};

// What the journal says of an acting call is what its receiver counted, unless a person said it.
class Honest : public Checker {
 public:
  using Checker::Checker;
  void on_record(const SeenTask& before, const Record& record) override {
    const auto* settled = std::get_if<StepSettled>(&record.body);
    if (settled == nullptr || settled->outcome != Outcome::kSucceeded) return;
    const auto step = before.steps.find(settled->step);
    if (step == before.steps.end()) return;
    const StepPlanned& plan = step->second.plan;
    if (plan.kind != CallKind::kTool || plan.executed_by != ExecutedBy::kEngine) return;
    if (evidence_.oracle.times_applied({before.id, settled->step}) == 0) {
      evidence_.verdict.violation(
          "done_honest", fmt::format("{} record {}: step '{}' succeeded, and never happened",
                                     before.id.to_string(), record.seq, settled->step));
    }
  }
  void on_applied(const Sent& sent) override { check_failed(sent.task, sent.step); }
  void on_commit(const Batch& batch) override {
    for (const Frame& frame : batch.frames) {
      for (const auto& [id, step] : evidence_.tasks.at(frame.task).steps) {
        check_failed(frame.task, id);
      }
    }
  }

 private:
  void check_failed(const TaskId& id, const StepId& step_id) {
    const SeenTask* task = evidence_.task(id);
    const auto step = task ? task->steps.find(step_id) : decltype(task->steps.end())();
    if (task == nullptr || step == task->steps.end()) return;
    const SeenStep& seen = step->second;
    const bool says_not = seen.end == EffectState::kFailed || seen.end == EffectState::kDenied;
    if (!says_not || seen.asserted || seen.plan.kind != CallKind::kTool) return;
    if (!acts(seen.plan.contract.effect)) return;
    if (evidence_.oracle.times_applied({id, step_id}) == 0) return;
    evidence_.verdict.violation(
        "notdone_honest", fmt::format("{} record {}: step '{}' ({}) is {}, and has happened",
                                      id.to_string(), seen.end_seq, step_id,
                                      to_string(seen.plan.contract.effect), to_string(*seen.end)));
  }
};

}  // namespace

void add_effect_checkers(Checkers& to, const Evidence& evidence) {
  to.push_back(std::make_unique<IntentBeforeSend>(evidence));
  to.push_back(std::make_unique<ModelCalls>(evidence));
  to.push_back(std::make_unique<Fetched>(evidence));
  to.push_back(std::make_unique<OnceAtMostOnce>(evidence));
  to.push_back(std::make_unique<IdemEffectOnce>(evidence));
  to.push_back(std::make_unique<Honest>(evidence));
}

}  // namespace perdure::sim
