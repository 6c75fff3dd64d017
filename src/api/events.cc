#include "api/events.h"

#include <fmt/core.h>

#include "api/plain_json.h"
#include "base/json_text.h"
#include "base/text.h"
#include "journal/price.h"

namespace perdure::api {
namespace {

// By CallKind, then Outcome. A model call whose answer was lost is superseded: what was streamed of
// it is withdrawn.
constexpr std::string_view kSettled[2][5] = {
    {"model.answered", "model.failed", "model.superseded", "model.superseded", "model.superseded"},
    {"tool.succeeded", "tool.failed", "tool.not_sent", "tool.deferred", "tool.in_doubt"}};
constexpr std::string_view kPlanned[2] = {"model.planned", "tool.planned"};
constexpr std::string_view kIntended[2] = {"model.requested", "tool.intended"};

struct ClosedName {
  EffectState state;
  std::string_view of_kind[2];
};
constexpr ClosedName kClosed[] = {{EffectState::kDenied, {"model.denied", "tool.denied"}},
                                  {EffectState::kFailed, {"model.failed", "tool.failed"}},
                                  {EffectState::kUnknown, {"model.unknown", "tool.unknown"}},
                                  {EffectState::kInDoubt, {"model.in_doubt", "tool.in_doubt"}}};

std::string_view ended_name(TaskStatus status) {
  switch (status) {
    case TaskStatus::kCompleted:
      return "task.completed";
    case TaskStatus::kCancelled:
      return "task.cancelled";
    default:
      return "task.failed";
  }
}

void put_text(json::object& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out[name] = text;
}

size_t index_of(CallKind kind) {
  return static_cast<size_t>(kind);
}

}  // namespace

void EventProjector::fold(const Record& record) {
  if (const auto* planned = std::get_if<StepPlanned>(&record.body)) {
    steps_[planned->step] = {planned->kind, planned->name, planned->unpriced};
  } else if (std::holds_alternative<InterruptRequested>(record.body)) {
    open_interrupts_.insert(record.seq);
  } else if (const auto* resolved = std::get_if<InterruptResolved>(&record.body)) {
    open_interrupts_.erase(resolved->interrupt_seq);
  }
}

// Names the event and writes its data: the overload for each type of record.
struct EventProjector::Projection {
  const EventProjector& at;
  Seq seq;
  Event& event;

  Step step(const StepId& id) const {
    const auto found = at.steps_.find(id);
    const Step step = found == at.steps_.end() ? Step{} : found->second;
    event.data["step"] = id;
    if (!step.name.empty())
      event.data[step.kind == CallKind::kModel ? "model" : "tool"] = step.name;
    return step;
  }
  std::string interrupt_id(Seq interrupt) const {
    return InterruptId{at.task_, interrupt}.to_string();
  }

  void operator()(const TaskCreated& r) const {
    event.type = "task.created";
    event.data["agent"] = r.agent;
    put_text(event.data, "session", r.session);
    put_payload(event.data, "input", r.input);
    event.data["budget"] = limits_json(r.limits);
  }
  void operator()(const TurnAccepted& r) const {
    event.type = r.turn == 1 ? "task.started" : "turn.accepted";
    event.data["turn"] = r.turn;
    event.data["actions"] = r.actions;
    put_text(event.data, "planner_version", r.planner_version);
  }
  void operator()(const TurnRejected& r) const {
    event.type = "turn.rejected";
    event.data["turn"] = r.turn;
    event.data["attempt"] = r.attempt;
    event.data["reason"] = r.reason;
  }
  void operator()(const StepPlanned& r) const {
    event.type = r.verdict == Verdict::kDeny ? kClosed[0].of_kind[index_of(r.kind)]
                                             : kPlanned[index_of(r.kind)];
    step(r.step);
    put_payload(event.data, "args", r.args);
    event.data["verdict"] = to_string(r.verdict);
    put_text(event.data, "reason", r.verdict_reason);
    event.data["effect"] = to_string(r.contract.effect);
  }
  void operator()(const StepIntended& r) const {
    event.type = kIntended[index_of(step(r.step).kind)];
    event.data["attempt"] = r.attempt;
    event.data["reserved"] = usage_json(r.reserved);
  }
  void operator()(const StepSettled& r) const {
    const Step settled = step(r.step);
    event.type = kSettled[index_of(settled.kind)][static_cast<size_t>(r.outcome)];
    event.data["attempt"] = r.attempt;
    if (r.failure != FailureClass::kNone) event.data["failure"] = to_string(r.failure);
    put_text(event.data, "detail", r.detail);
    if (r.retry_after_ms > 0) event.data["retry_after_ms"] = r.retry_after_ms;
    const bool unpriced = settled.unpriced && may_have_cost(r);
    if (r.used || unpriced) {
      event.data["used"] = usage_json(r.used.value_or(Usage{.model_calls = 1}), unpriced ? 1 : 0);
    }
    put_payload(event.data, "result", r.result);
  }
  void operator()(const StepProgressed& r) const {
    const bool model = step(r.step).kind == CallKind::kModel;
    event.type = model ? "model.accepted" : "tool.accepted";
    event.data["attempt"] = r.attempt;
    event.data["provider_id"] = r.provider_id;
  }
  void operator()(const StepClosed& r) const {
    const size_t kind = index_of(step(r.step).kind);
    for (const ClosedName& name : kClosed) {
      if (name.state == r.state) event.type = name.of_kind[kind];
    }
    put_text(event.data, "reason", r.reason);
    put_text(event.data, "same_as", r.same_as);
  }
  void operator()(const TimerSet& r) const {
    event.type = "timer.set";
    event.data["timer"] = r.timer;
    event.data["purpose"] = to_string(r.purpose);
    event.data["due"] = to_rfc3339(r.due_ms);
  }
  void operator()(const TimerFired& r) const {
    event.type = "timer.fired";
    event.data["timer"] = r.timer;
    event.data["purpose"] = to_string(r.purpose);
  }
  void operator()(const TimerCleared& r) const {
    event.type = "timer.cleared";
    event.data["timer"] = r.timer;
    event.data["purpose"] = to_string(r.purpose);
  }
  void operator()(const InterruptRequested& r) const {
    event.type = "interrupt.requested";
    event.data["interrupt"] = interrupt_id(seq);
    event.data["reason"] = to_string(r.reason);
    if (!r.step.empty()) step(r.step);
    event.data["message"] = r.message;
    if (!r.asking.assignees.empty()) {
      event.data["assignees"] = json::array(r.asking.assignees.begin(), r.asking.assignees.end());
    }
    event.data["open_interrupts"] = at.open_interrupts_.size();
  }
  void operator()(const InterruptResolved& r) const {
    event.type = r.decision == Decision::kWithdrawn ? "interrupt.withdrawn"
                 : r.expired                        ? "interrupt.expired"
                                                    : "interrupt.resolved";
    event.data["interrupt"] = interrupt_id(r.interrupt_seq);
    event.data["decision"] = to_string(r.decision);
    put_text(event.data, "by", r.by);
    put_text(event.data, "message", r.message);
    put_payload(event.data, r.decision == Decision::kEdit ? "args" : "result", r.given);
    event.data["open_interrupts"] = at.open_interrupts_.size();
  }
  void operator()(const InterruptReminded& r) const {
    event.type = "interrupt.reminded";
    event.data["interrupt"] = interrupt_id(r.interrupt_seq);
    event.data["reminders"] = r.reminders;
  }
  void operator()(const InterruptEscalated& r) const {
    event.type = "interrupt.escalated";
    event.data["interrupt"] = interrupt_id(r.interrupt_seq);
    event.data["assignees"] = json::array(r.to.begin(), r.to.end());
  }
  void operator()(const CancelRequested& r) const {
    event.type = "task.cancelling";
    event.data["by"] = r.by;
    put_text(event.data, "reason", r.reason);
  }
  void operator()(const TaskEnding& r) const {
    event.type = "task.finishing";
    event.data["status"] = to_string(r.status);
    event.data["stop_reason"] = to_string(r.stop_reason);
  }
  void operator()(const TaskEnded& r) const {
    event.type = ended_name(r.status);
    event.terminal = true;
    event.data["stop_reason"] = to_string(r.stop_reason);
    put_text(event.data, "message", r.message);
    put_payload(event.data, "result", r.result);
  }
  void operator()(const TaskAcknowledged& r) const {
    event.type = "task.acknowledged";
    event.data["by"] = r.by;
  }
  void operator()(const AnomalyNoted& r) const {
    event.type = "anomaly.noted";
    if (!r.step.empty()) step(r.step);
    event.data["what"] = r.what;
  }
  void operator()(const Noted& r) const {
    event.type = "task.noted";
    put_payload(event.data, "note", r.note);
  }
};

std::optional<Event> EventProjector::project(const Record& record) const {
  Event event;
  event.seq = record.seq;
  event.at_ms = record.at_ms;
  std::visit(Projection{*this, record.seq, event}, record.body);
  if (event.type.empty()) return std::nullopt;
  return event;
}

std::string event_json(const Event& event) {
  std::string out = fmt::format(R"({{"seq":{},"type":"{}","at":"{}","data":)", event.seq,
                                event.type, to_rfc3339(event.at_ms));
  append_json(out, event.data);
  out += '}';
  return out;
}

std::string event_message(const Event& event) {
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event.seq, event.type, event_json(event));
}

}  // namespace perdure::api
