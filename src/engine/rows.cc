#include "engine/rows.h"

#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/text.h"

namespace perdure::engine {
namespace {

// Cheap where the task waits for nothing but its own calls.
std::string waiting_for(const core::TaskState& state) {
  if (state.interrupts.empty() && state.timers.empty()) return "[]";
  return to_json(waits_of(state));
}

// Equal shapes need no new row.
std::string shape_of(const TaskRow& row) {
  std::string shape{static_cast<char>(row.status), static_cast<char>(row.phase),
                    static_cast<char>(row.runnable)};
  return shape += row.waiting_for;
}

// Why the call behind a retry timer waits, if it does.
FailureClass held_up_by(const core::TaskState& state, std::string_view timer) {
  if (!timer.starts_with(core::kRetryTimerPrefix)) return FailureClass::kNone;
  const auto step = state.open.find(std::string(timer.substr(core::kRetryTimerPrefix.size())));
  return step == state.open.end() ? FailureClass::kNone : step->second.failure;
}

struct Touched {
  std::set<TimerId> timers;
  std::set<Seq> interrupts;

  void operator()(Seq, const TimerSet& r) { timers.insert(r.timer); }
  void operator()(Seq, const TimerFired& r) { timers.insert(r.timer); }
  void operator()(Seq, const TimerCleared& r) { timers.insert(r.timer); }
  void operator()(Seq seq, const InterruptRequested&) { interrupts.insert(seq); }
  void operator()(Seq, const InterruptResolved& r) { interrupts.insert(r.interrupt_seq); }
  template <class Other>
  void operator()(Seq, const Other&) {}
};

}  // namespace

json::array waits_of(const core::TaskState& state) {
  json::array waits;
  for (const auto& [seq, interrupt] : state.interrupts) {
    json::object wait{{"kind", "interrupt"},
                      {"id", InterruptId{state.id, seq}.to_string()},
                      {"reason", to_string(interrupt.reason)}};
    if (!interrupt.step.empty()) wait["step"] = interrupt.step;
    waits.push_back(std::move(wait));
  }
  for (const auto& [id, timer] : state.timers) {
    if (timer.purpose == TimerPurpose::kAsk) continue;  // that of an interrupt above
    json::object wait{{"kind", "timer"}, {"id", id}, {"due", to_rfc3339(timer.due_ms)}};
    if (const FailureClass why = held_up_by(state, id); why != FailureClass::kNone) {
      wait["reason"] = to_string(why);
    }
    waits.push_back(std::move(wait));
  }
  return waits;
}

TaskRow row_of(const core::Task& task) {
  const core::TaskState& state = task.state;
  TaskRow row;
  row.id = state.id;
  row.tenant = state.tenant;
  row.principal = state.principal;
  row.status = core::status_of(state);
  row.phase = core::phase_of(state);
  row.runnable = !core::is_suspended(task);
  row.waiting_for = waiting_for(state);
  row.planner = state.planner;
  row.agent = state.agent;
  row.metadata = state.metadata;
  row.session = state.session;
  row.used = state.spent;
  row.created_ms = state.created_ms;
  row.updated_ms = state.last_ms;
  row.head = state.head;
  row.ended_seq = state.ended ? state.ended->seq : 0;
  return row;
}

void add_rows(Batch& batch, Live& live, std::span<const Record> records) {
  const core::TaskState& state = live.task.state;
  Touched touched;
  for (const Record& record : records) {
    std::visit([&](const auto& body) { touched(record.seq, body); }, record.body);
  }
  for (const TimerId& id : touched.timers) {
    const auto timer = state.timers.find(id);
    if (timer != state.timers.end()) {
      batch.timers_set.push_back({state.id, id, timer->second.due_ms});
    } else {
      batch.timers_cleared.push_back({state.id, id, 0});
    }
  }
  for (const Seq seq : touched.interrupts) {
    const auto open = state.interrupts.find(seq);
    if (open != state.interrupts.end()) {
      batch.interrupts_opened.push_back(
          {state.id, seq, state.tenant, open->second.reason, open->second.requested_ms});
    } else {
      batch.interrupts_closed.push_back({state.id, seq, state.tenant, {}, 0});
    }
  }
  TaskRow row = row_of(live.task);
  std::string shape = shape_of(row);
  if (shape != live.row_shape) {
    live.row_shape = std::move(shape);
    batch.tasks.push_back(std::move(row));
  }
}

}  // namespace perdure::engine
