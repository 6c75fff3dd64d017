#pragma once
// What a script carries from turn to turn: where it is, and the outcomes that later operations
// still ask about. As a payload it is canonical JSON:
//
//   {"asked"?: {interrupt's seq: step}, "i": iteration, "known": {step: [outcome, result?]},
//    "pc": operation}
#include <map>
#include <optional>
#include <string>

#include "journal/record.h"
#include "script/program.h"

namespace perdure::script {

class State {
 public:
  static Result<State> read(const Payload& payload, const Program& program);

  // Folds one record of the task.
  Status see(const Program& program, const Record& record);

  // Drops what nothing asks about any more.
  std::string write(const Program& program) const;

  // Null if the step has no outcome yet.
  const std::string* outcome(const std::string& step) const;
  const json::value& result(const std::string& step) const;

  size_t at = 0;
  int64_t iteration = 0;

 private:
  struct Known {
    std::string outcome;
    json::value result;
  };

  Status settle(const Program& program, const StepId& step, std::string_view outcome,
                const Payload* result);
  Status close(const Program& program, const StepClosed& closed);
  void ask(const Program& program, Seq seq, const InterruptRequested& asked);
  Status resolve(const Program& program, const InterruptResolved& resolved);
  Status read_known(const json::object& known);

  std::map<std::string, Known> known_;
  std::map<std::string, std::string> asked_;
};

}  // namespace perdure::script
