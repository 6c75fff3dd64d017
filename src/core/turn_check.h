#pragma once
// What a planner's answer must be before a single record of it is written.
#include <optional>
#include <string>

#include "core/state.h"
#include "journal/command.h"

namespace perdure::core {

// What is wrong with the answer, or nothing. It names the action.
std::optional<std::string> malformed(const TaskState& state, const AnswerTurn& turn);

}  // namespace perdure::core
