#include "api/metrics_text.h"

#include <algorithm>

#include "api/metrics_writer.h"
#include "base/log.h"

namespace perdure::api {
namespace {

template <class Number>
double number(const Number& value) {
  return static_cast<double>(static_cast<uint64_t>(value));
}

void write_engine(MetricsWriter& out, const engine::Metrics& m) {
  out.counter("perdure_commands_total", "Commands applied to tasks.", number(m.commands));
  out.counter("perdure_commits_total", "Durable commits.", number(m.commits));
  out.counter("perdure_frames_total", "Frames committed, one a task and commit.", number(m.frames));
  out.counter("perdure_records_total", "Records committed.", number(m.records));
  out.counter("perdure_durable_waits_total", "Times a task's output waited for a commit.",
              number(m.durable_waits));
  out.counter("perdure_sends_total", "Calls of models and tools that were started.",
              number(m.sends));
  out.counter("perdure_plans_total", "Turns that planners were asked for.", number(m.plans));
  out.counter("perdure_timers_fired_total", "Timers that fired.", number(m.timers_fired));
  out.counter("perdure_recovered_total", "Tasks looked at again after the start.",
              number(m.recovered));
  out.counter("perdure_snapshots_total", "Snapshots of long tasks that were written.",
              number(m.snapshots));
  out.gauge("perdure_tasks_in_memory", "Tasks that are in memory.", number(m.live));
  out.gauge("perdure_calls_under_way", "Calls of models and tools without an outcome yet.",
            number(m.calls_under_way));
  out.gauge("perdure_tasks_quarantined", "Tasks whose journal could not be read.",
            number(m.quarantined));
}

void write_durability(MetricsWriter& out, Context& context, const engine::Metrics& m) {
  const int64_t since_us = m.undurable_since_us;
  const int64_t lag_us =
      since_us == 0 ? 0 : std::max<int64_t>(0, context.parts.clock.monotonic_us() - since_us);
  out.gauge("perdure_commit_lag_seconds",
            "Age of the oldest record that is not durable yet; 0 when all are.",
            static_cast<double>(lag_us) / 1e6);
  out.histogram("perdure_commit_seconds", "Time from a batch's first record to its durability.",
                m.commit);
  out.gauge("perdure_gate_outputs", "Replies, requests and plans that wait for a commit.",
            number(m.held));
  out.gauge("perdure_mailbox_inputs", "Commands that wait for the engine.",
            number(context.parts.engine.mailbox().size()));
}

void write_calls(MetricsWriter& out, const engine::CallTally& calls) {
  const auto outcomes = calls.outcomes();
  const auto write = [&](CallKind wanted, std::string_view name, std::string_view help,
                         std::string_view label) {
    out.family(name, help, "counter");
    for (const auto& [key, count] : outcomes) {
      const auto& [kind, called, outcome, failure] = key;
      if (kind != wanted) continue;
      out.sample(
          {{label, called}, {"outcome", to_string(outcome)}, {"failure", to_string(failure)}},
          number(count));
    }
  };
  write(CallKind::kModel, "perdure_model_calls_total",
        "Calls of models that ended, by what became of them and why they failed.", "model");
  write(CallKind::kTool, "perdure_tool_calls_total",
        "Calls of tools that ended, by what became of them and why they failed.", "tool");
  const auto used = calls.used();
  out.family("perdure_model_tokens_total", "Tokens that models reported, read and written.",
             "counter");
  for (const auto& [model, usage] : used) {
    out.sample({{"model", model}, {"direction", "input"}}, number(usage.input_tokens));
    out.sample({{"model", model}, {"direction", "output"}}, number(usage.output_tokens));
  }
  out.family("perdure_model_cost_dollars_total", "Cost of these tokens by the configured prices.",
             "counter");
  for (const auto& [model, usage] : used) {
    out.sample({{"model", model}}, static_cast<double>(usage.cost_micro_usd) / 1e6);
  }
  out.histogram("perdure_model_call_seconds", "Time from a model call's start to its end.",
                calls.took(CallKind::kModel));
  out.histogram("perdure_tool_call_seconds", "Time from a tool call's start to its end.",
                calls.took(CallKind::kTool));
}

template <class Word, class Counts>
void write_words(MetricsWriter& out, std::string_view label, Word last, const Counts& counts) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const auto found = counts.find(static_cast<Word>(i));
    out.sample({{label, to_string(static_cast<Word>(i))}},
               found != counts.end() ? number(found->second) : 0);
  }
}

void write_store(MetricsWriter& out, Context& context) {
  const auto counts = context.parts.reader.counts(context.parts.clock.unix_ms());
  if (!counts) {
    log(LogLevel::kError, "metrics.unreadable", {{"why", counts.error().message}});
    return;
  }
  out.family("perdure_open_tasks", "Tasks that have not ended.", "gauge");
  write_words(out, "status", TaskStatus::kInputRequired, counts->tasks);
  out.family("perdure_open_interrupts", "Questions that wait for a person.", "gauge");
  write_words(out, "reason", last_of(InterruptReason{}), counts->interrupts);
  out.gauge("perdure_timers", "Timers that are set.", number(counts->timers));
  out.gauge("perdure_timers_due", "Of these, timers that are due.", number(counts->timers_due));
}

void write_planners(MetricsWriter& out, const std::vector<RemotePlanners::Count>& counts) {
  const auto each = [&](std::string_view name, std::string_view help, std::string_view type,
                        auto value) {
    out.family(name, help, type);
    for (const auto& count : counts) out.sample({{"planner", count.name}}, number(value(count)));
  };
  using Count = RemotePlanners::Count;
  each("perdure_plans_waiting", "Plans that no remote planner has taken.", "gauge",
       [](const Count& c) { return c.waiting; });
  each("perdure_plans_leased", "Plans that a remote planner works on.", "gauge",
       [](const Count& c) { return c.leased; });
  each("perdure_planner_polls_waiting", "Remote planners that wait for a plan.", "gauge",
       [](const Count& c) { return c.pollers; });
  each("perdure_plan_leases_expired_total", "Leases that ended without an answer.", "counter",
       [](const Count& c) { return c.expired; });
}

void write_requests(MetricsWriter& out, const RequestCounters& c) {
  out.counter("perdure_http_requests_total", "Requests that reached the API.", number(c.requests));
  out.counter("perdure_http_refused_total",
              "Requests refused for their host, origin, credential, scope, path or form.",
              number(c.refused));
  out.gauge("perdure_event_streams", "Event streams that are open.", number(c.streams.used()));
  out.gauge("perdure_held_requests", "Requests held back until something happens.",
            number(c.waits.used()));
}

void write_traces(MetricsWriter& out, const ApiParts& parts) {
  if (!parts.traces) return;
  const TraceFigures figures = parts.traces();
  out.counter("perdure_spans_exported_total", "Spans that the collector took.",
              number(figures.exported));
  out.counter("perdure_spans_dropped_total",
              "Spans that the collector refused, and frames that could not be read.",
              number(figures.dropped));
  out.counter("perdure_span_export_failures_total",
              "Requests to the collector that are made again later.", number(figures.failures));
  out.gauge("perdure_span_export_lag_seconds", "Age of the oldest span that waits; 0 if none does.",
            figures.lag_seconds);
}

// Under the names that every client library of Prometheus uses.
void write_process(MetricsWriter& out, const ApiParts& parts) {
  if (!parts.version.empty()) {
    out.family("perdure_build_info", "1, with the version that runs.", "gauge");
    out.sample({{"version", parts.version}}, 1);
  }
  const auto figures = parts.process ? parts.process() : std::nullopt;
  if (!figures) return;
  out.counter("process_cpu_seconds_total", "Processor time used.", figures->cpu_seconds);
  out.gauge("process_start_time_seconds", "When the process started, in unix time.",
            figures->started_unix_seconds);
  out.gauge("process_resident_memory_bytes", "Memory that is resident.",
            number(figures->resident_bytes));
  out.gauge("process_virtual_memory_bytes", "Address space.", number(figures->virtual_bytes));
  out.gauge("process_open_fds", "Descriptors that are open.", number(figures->open_descriptors));
  out.gauge("process_max_fds", "Descriptors that may be open.", number(figures->descriptors_max));
}

void write_room(MetricsWriter& out, const Room& room) {
  out.gauge("perdure_disk_free_bytes", "Room that is left on the disk of the store.",
            static_cast<double>(room.free_bytes));
  out.gauge("perdure_disk_reserve_bytes", "Room that is kept for tasks that run.",
            static_cast<double>(room.reserve_bytes));
  out.gauge("perdure_disk_low", "1 while new work is refused for want of room.", room.low ? 1 : 0);
}

}  // namespace

std::string metrics_text(Context& context) {
  MetricsWriter out;
  const engine::Metrics& metrics = context.parts.engine.metrics();
  write_engine(out, metrics);
  write_durability(out, context, metrics);
  write_calls(out, metrics.calls);
  write_store(out, context);
  write_requests(out, *context.counters);
  if (context.parts.space != nullptr) write_room(out, context.parts.space->look());
  write_planners(out, context.parts.planners.counts());
  write_traces(out, context.parts);
  write_process(out, context.parts);
  return std::move(out).text();
}

}  // namespace perdure::api
