#pragma once
// What a planner in another process is asked and answers, as JSON. The routes:
//
//   POST /v1/planners/{name}/poll   {"version", "wait_s"} -> 200 {"plan": plan_to_json} | 204
//   POST /v1/planners/{name}/turns  remote_turn_from_json -> 200 | 409 stale | 422 malformed
//
// An answer is
//
//   {"task", "turn", "upto_seq", "planner_version", "state"?, "guarded"?, "more"?, "await"?,
//    "actions"?: [one member each:
//      {"call": {"step", "kind"?: "tool" | "model", "name", "args"?, "executor"?: "engine"}}
//      {"call": {..., "executor": "planner", "outcome"?: "succeeded" | "failed", "result"?,
//                "detail"?}}
//      {"timer": {"id", "after_ms" | "at_ms"}}
//      {"note": any}
//      {"ask": {"step", "question", "choices"?, "schema"?}}, a step that a person answers
//      {"interrupt": {"reason": "loop_detected" | "provider_refusal" | "auth_required", "message"}}
//      {"complete": any} | {"fail": {"message"}}, once, as the last]}
//   await: null | {"op": "news"} | {"op": "step" | "timer", "name"} | {"op": "any" | "all", "of"}
//
// or {"task", "turn", "upto_seq", "error": why there is none}.
#include <span>
#include <variant>

#include "base/json.h"
#include "journal/command.h"
#include "journal/effect.h"
#include "journal/record.h"

namespace perdure {

// For parse_json of an answer: deeper than other bodies, since it carries values that were bodies.
inline constexpr JsonLimits kTurnJsonLimits{.depth = 160, .size_bytes = 32u << 20};
// All payloads of one turn together.
inline constexpr size_t kTurnPayloadMaxBytes = 16u << 20;

struct RemoteTurn {
  TaskId task;
  std::variant<AnswerTurn, RejectTurn> answer;
};

// Payloads get their canonical bytes, so that every planner's equal values are equal. kInvalid and
// kTooLarge name the place.
Result<RemoteTurn> remote_turn_from_json(const json::value& body);

struct RemotePlan {
  TaskId task;
  Plan plan;
  Seq after_seq = 0;
  const Payload& state;
  const Payload& input;
  std::span<const Record> news;
};

// {"task", "turn", "upto_seq", "attempt", "after_seq", "state": its JSON or null, "input",
// "records"}: those behind after_seq up to upto_seq, as record_to_json. An error if the state or
// the input is there without its bytes: the caller reads them first.
Result<json::object> plan_to_json(const RemotePlan& plan);

}  // namespace perdure
