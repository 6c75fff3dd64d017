#pragma once
// Events: what a client sees of a journal. Each record gives at most one event, whose id is the
// record's sequence number, so that a client can go on at any point. Pure.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "journal/record.h"

namespace perdure::api {

struct Event {
  Seq seq = 0;
  std::string_view type;  // dotted, e.g. "tool.succeeded"
  int64_t at_ms = 0;
  json::object data;
  bool terminal = false;  // the last one that is streamed
};

// Sees the records of one task in order, from the first. Payloads have their bytes where the event
// is to show them.
class EventProjector {
 public:
  explicit EventProjector(const TaskId& task) : task_(task) {}

  // Remembers what later events need.
  void fold(const Record& record);
  // The event of a record that was just folded.
  std::optional<Event> project(const Record& record) const;

 private:
  struct Step {
    CallKind kind = CallKind::kTool;
    std::string name;
    bool unpriced = false;
  };
  struct Projection;

  const TaskId task_;
  std::map<StepId, Step> steps_;
  std::set<Seq> open_interrupts_;
};

// {"seq", "type", "at", "data"}
std::string event_json(const Event& event);
// As a message of an event stream (WHATWG HTML, "Server-sent events").
std::string event_message(const Event& event);

}  // namespace perdure::api
