#pragma once
// What the operator's configuration says about the calls of a turn. It is looked up beside the core
// and enters the journal with the call.
#include <string>

#include "base/error.h"
#include "journal/command.h"

namespace perdure {

class Policy {
 public:
  virtual ~Policy() = default;
  // Fills contract, verdict, identity and reserve of every call that has no verdict from its
  // planner already (a denial stands). An error: what the agent asked for could not be read, so
  // nothing may be sent. Thread-safe; not on the engine's thread if it can be helped.
  virtual Status judge(const std::string& agent_version, AnswerTurn& turn) = 0;
  // A person puts other arguments in the place of a model's: are they what the tool takes, and what
  // policy allows? Fills the identity of the call as it is then. kInvalid says why not.
  virtual Status judge_edit(const std::string& agent_version, const std::string& tool,
                            Resolve& edit) = 0;
  // A person answers a question ({"question", "choices"?, "schema"?}): kInvalid if the answer is
  // not what was asked for.
  virtual Status judge_answer(const Payload& question, const Payload& answer) = 0;
};

}  // namespace perdure
