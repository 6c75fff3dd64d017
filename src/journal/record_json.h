#pragma once
// Records and their parts as JSON, for people and for planners in other processes. One way only:
// the stored form is binary. Names are those of `fields`.
#include "base/json.h"
#include "journal/record.h"

namespace perdure {

// {"seq", "at", "type", ...fields}. Payloads: {"sha256", "size_bytes", "json" | "text" | "hex"}
// with the bytes where they are at hand.
json::object record_to_json(const Record& record);

// Without times, positions, and what names the planner: equal behaviour gives equal text, whichever
// planner drove the task.
json::object record_to_normalised_json(const Record& record);

json::value payload_to_json(const Payload& payload);

}  // namespace perdure
