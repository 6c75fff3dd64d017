#include "api/metrics_text.h"

#include <fmt/format.h>

#include <iterator>

namespace perdure::api {
namespace {

class Writer {
 public:
  void counter(std::string_view name, std::string_view help, uint64_t value) {
    head(name, help, "counter");
    sample(name, "", static_cast<double>(value));
  }
  void seconds_counter(std::string_view name, std::string_view help, uint64_t micros) {
    head(name, help, "counter");
    sample(name, "", static_cast<double>(micros) / 1e6);
  }
  void gauge(std::string_view name, std::string_view help, double value) {
    head(name, help, "gauge");
    sample(name, "", value);
  }
  void head(std::string_view name, std::string_view help, std::string_view type) {
    fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
  }
  void sample(std::string_view name, std::string_view labels, double value) {
    fmt::format_to(std::back_inserter(out_), "{}{} {}\n", name, labels, value);
  }
  std::string text() && { return std::move(out_); }

 private:
  std::string out_;
};

std::string label(const std::string& planner) {
  std::string out = "{planner=\"";
  for (const char c : planner) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"}";
}

void write_engine(Writer& out, const engine::Metrics& m) {
  out.counter("perdure_commands_total", "Commands applied to tasks.", m.commands);
  out.counter("perdure_commits_total", "Durable commits.", m.commits);
  out.counter("perdure_frames_total", "Frames committed, one a task and commit.", m.frames);
  out.counter("perdure_records_total", "Records committed.", m.records);
  out.counter("perdure_durable_waits_total", "Times a task's output waited for a commit.",
              m.durable_waits);
  out.counter("perdure_sends_total", "Calls of models and tools that were started.", m.sends);
  out.counter("perdure_plans_total", "Turns that planners were asked for.", m.plans);
  out.counter("perdure_timers_fired_total", "Timers that fired.", m.timers_fired);
  out.counter("perdure_recovered_total", "Tasks looked at again after the start.", m.recovered);
  out.seconds_counter("perdure_commit_seconds_total",
                      "Time from a batch's first record to its durability, summed.", m.commit_us);
  out.gauge("perdure_last_commit_seconds", "The same, of the last batch.",
            static_cast<double>(m.last_commit_us) / 1e6);
  out.gauge("perdure_tasks_in_memory", "Tasks that are in memory.", static_cast<double>(m.live));
  out.gauge("perdure_calls_under_way", "Calls of models and tools without an outcome yet.",
            static_cast<double>(m.calls_under_way));
  out.gauge("perdure_tasks_quarantined", "Tasks whose journal could not be read.",
            static_cast<double>(m.quarantined));
}

void write_planners(Writer& out, const std::vector<RemotePlanners::Count>& counts) {
  const auto each = [&](std::string_view name, std::string_view help, std::string_view type,
                        auto value) {
    if (counts.empty()) return;
    out.head(name, help, type);
    for (const auto& count : counts) {
      out.sample(name, label(count.name), static_cast<double>(value(count)));
    }
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

}  // namespace

std::string metrics_text(Context& context) {
  Writer out;
  write_engine(out, context.parts.engine.metrics());
  const RequestCounters& c = context.counters;
  out.gauge("perdure_mailbox_inputs", "Commands that wait for the engine.",
            static_cast<double>(context.parts.engine.mailbox().size()));
  out.counter("perdure_http_requests_total", "Requests that reached the API.", c.requests);
  out.counter("perdure_http_refused_total",
              "Requests refused for their host, origin, credential, scope, path or form.",
              c.refused);
  out.gauge("perdure_event_streams", "Event streams that are open.",
            static_cast<double>(c.streams));
  out.gauge("perdure_held_requests", "Requests held back until something happens.",
            static_cast<double>(c.waits));
  write_planners(out, context.parts.planners.counts());
  return std::move(out).text();
}

}  // namespace perdure::api
