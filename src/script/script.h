#pragma once
// The script planner: a task's input is a list of actions with conditions. A pure function of the
// script, the state that its last turn left, and the records since. examples/script_planner.py is
// the same planner as a process; both give the same answers.
//
//   {"script": [item...], "guarded"?: true}
//
// An item has one action and, if it wants, "if": COND. It is skipped when the condition is false.
//   {"call": {"step": name, "tool" | "model": name, "args"?: VALUE}}
//   {"call": {..., "executor": "planner", "outcome"?: "succeeded" | "failed", "result"?: VALUE}}
//   {"timer": {"id": name, "after_ms" | "at_ms": integer}}
//   {"note": VALUE}
//   {"await": A}           ends the turn; A: "news" | step name | {"step": name} | {"timer": id} |
//                          {"any": [A...]} | {"all": [A...]}
//   {"complete": VALUE} | {"fail": message}
//   {"repeat": n, "do": [item...]}   inside, steps and timers of the body get the suffix "/<i>", i
//                                    from 0, where they are defined and where they are named
// COND: {"step": name, "is": "succeeded" | "failed" | "denied" | "unknown", "equals"?: any,
//        "at"?: JSON Pointer into the step's result} | {"not": COND} | {"all": [...]} |
//       {"any": [...]}. A step without an outcome is none of these. Numbers are equal when written
//       alike: 1 is not 1.0.
// VALUE: any JSON, in which {"$result": name} stands for that step's result: a string if it is not
//        JSON, null if there is none yet.
// Outcomes become visible with the turn's records: `await` a step before using its result. The end
// of the list completes the task with null.
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"
#include "journal/command.h"
#include "journal/record.h"

namespace perdure {

namespace script {
struct Program;
}

inline constexpr std::string_view kScriptVersion = "script/1";

// A checked script. Immutable; copies share it; any thread.
class Script {
 public:
  // Errors name the place, e.g. "script[3].call.tool: is missing".
  static Result<Script> parse(std::string_view input_json);

  const script::Program& program() const { return *program_; }

 private:
  explicit Script(std::shared_ptr<const script::Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const script::Program> program_;
};

// The answer to Plan{turn, upto_seq}. `state` is what the script's last turn left, with its bytes,
// or none. Of `news` the records in (after_seq, upto_seq] are read; results that the script uses
// must have their bytes.
Result<AnswerTurn> answer(const Script& script, uint64_t turn, Seq upto_seq, const Payload& state,
                          std::span<const Record> news, Seq after_seq);

}  // namespace perdure
