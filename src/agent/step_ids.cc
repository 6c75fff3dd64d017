#include "agent/step_ids.h"

#include <fmt/format.h>

#include "base/text.h"

namespace perdure {

StepId model_step_id(uint64_t turn) {
  return fmt::format("m{}", turn);
}

StepId tool_step_id(uint64_t turn, size_t index) {
  return fmt::format("t{}.{}", turn, index);
}

std::optional<uint64_t> parse_model_step(std::string_view step) {
  if (!step.starts_with('m')) return std::nullopt;
  const auto turn = parse_u64(step.substr(1));
  if (!turn || model_step_id(*turn) != step) return std::nullopt;
  return turn;
}

std::optional<ToolStep> parse_tool_step(std::string_view step) {
  const size_t dot = step.find('.');
  if (!step.starts_with('t') || dot == std::string_view::npos) return std::nullopt;
  const auto turn = parse_u64(step.substr(1, dot - 1));
  const auto index = parse_u64(step.substr(dot + 1));
  if (!turn || !index || tool_step_id(*turn, *index) != step) return std::nullopt;
  return ToolStep{*turn, *index};
}

}  // namespace perdure
