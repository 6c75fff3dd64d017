#pragma once
// The agent loop's names for its steps. A model call is named by the planner's turn that asked for
// it; a tool call by that model call and its place in the answer, from 0.
#include <cstdint>
#include <optional>
#include <string_view>

#include "journal/terms.h"

namespace perdure {

StepId model_step_id(uint64_t turn);               // "m7"
StepId tool_step_id(uint64_t turn, size_t index);  // "t7.0"

struct ToolStep {
  uint64_t turn = 0;
  size_t index = 0;
};

// Nothing if the loop would not have given this name.
std::optional<uint64_t> parse_model_step(std::string_view step);
std::optional<ToolStep> parse_tool_step(std::string_view step);

}  // namespace perdure
