#include "engine/rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "base/json.h"
#include "base/text.h"
#include "engine/open_question.h"

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
  std::set<StepId> steps;

  void operator()(Seq, const TimerSet& r) { timers.insert(r.timer); }
  void operator()(Seq, const TimerFired& r) { timers.insert(r.timer); }
  void operator()(Seq, const TimerCleared& r) { timers.insert(r.timer); }
  void operator()(Seq seq, const InterruptRequested&) { interrupts.insert(seq); }
  void operator()(Seq, const InterruptReminded& r) { interrupts.insert(r.interrupt_seq); }
  void operator()(Seq, const InterruptEscalated& r) { interrupts.insert(r.interrupt_seq); }
  void operator()(Seq, const InterruptResolved& r) { interrupts.insert(r.interrupt_seq); }
  void operator()(Seq, const StepIntended& r) { steps.insert(r.step); }
  void operator()(Seq, const StepSettled& r) { steps.insert(r.step); }
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

namespace {

Status wrong(std::string what) {
  return fail(Code::kCorrupt, std::move(what));
}

Status check_task_row(const core::TaskState& state, const TaskRow& row) {
  if (row.damaged) return wrong("the row of the task is not what was written");
  const auto said = std::tie(row.tenant, row.principal, row.planner, row.agent, row.session,
                             row.metadata, row.created_ms);
  if (said != std::tie(state.tenant, state.principal, state.planner, state.agent, state.session,
                       state.metadata, state.created_ms)) {
    return wrong("the row of the task names another origin than its journal");
  }
  const Seq ended_seq = state.ended ? state.ended->seq : 0;
  if (row.status != core::status_of(state) || row.phase != core::phase_of(state) ||
      row.ended_seq != ended_seq || row.head > state.head) {
    return wrong(fmt::format("the row of the task says {}, its journal says {}",
                             to_string(row.status), to_string(core::status_of(state))));
  }
  const bool sent = std::any_of(state.open.begin(), state.open.end(), [](const auto& step) {
    return step.second.state == EffectState::kIntent;
  });
  if (sent && !row.runnable) return wrong("the row of the task says that nothing is under way");
  return {};
}

Status check_timer_rows(const core::TaskState& state, const std::vector<TimerRow>& rows) {
  for (const TimerRow& row : rows) {
    const auto timer = state.timers.find(row.timer);
    if (row.damaged || timer == state.timers.end() || timer->second.due_ms != row.due_ms) {
      return wrong(fmt::format("the row of timer '{}' is not what the journal says", row.timer));
    }
  }
  if (rows.size() == state.timers.size()) return {};
  return wrong(fmt::format("{} timers have a row, and the journal has {}", rows.size(),
                           state.timers.size()));
}

Status check_interrupt_rows(const core::TaskState& state, const std::vector<InterruptRow>& rows) {
  for (const InterruptRow& row : rows) {
    if (!says_the_same(row, state)) {
      return wrong(fmt::format("the row of the question at record {} is not what the journal says",
                               row.seq));
    }
  }
  if (rows.size() == state.interrupts.size()) return {};
  return wrong(fmt::format("{} questions have a row, and the journal has {}", rows.size(),
                           state.interrupts.size()));
}

}  // namespace

Status check_rows(const core::TaskState& state, const TaskRows& rows) {
  if (!rows.task) return wrong("the task has a journal and no row");
  TRY_STATUS(check_task_row(state, *rows.task));
  TRY_STATUS(check_timer_rows(state, rows.timers));
  return check_interrupt_rows(state, rows.interrupts);
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
  for (const auto& [seq, open] : state.interrupts) {  // a row shows how its step fares
    if (!open.step.empty() && touched.steps.contains(open.step)) touched.interrupts.insert(seq);
  }
  for (const Seq seq : touched.interrupts) {
    if (state.interrupts.contains(seq)) {
      batch.interrupts_opened.push_back(row_of(state, seq));
    } else {
      InterruptRow closed;
      closed.task = state.id;
      closed.seq = seq;
      batch.interrupts_closed.push_back(std::move(closed));
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
