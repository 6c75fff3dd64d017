#include "core/wish.h"

#include <algorithm>

namespace perdure::core {
namespace {

// Something of this wish is under way, has happened, or may have.
bool stands(const TaskState& state, const StepId& id, bool repeat_allowed) {
  const auto effect = state_of_step(state, id);
  if (!effect) return false;
  if (*effect == EffectState::kSucceeded) return !repeat_allowed;
  return !is_terminal(*effect) || *effect == EffectState::kUnknown;
}

}  // namespace

std::optional<StepId> standing_in_the_way(const TaskState& state, const Sha256& identity,
                                          const Contract& contract) {
  const bool harmless = may_run_again(contract.effect);
  if (identity.is_zero() || harmless || state.remembered.contains(identity)) return std::nullopt;
  const auto equal = state.wishes.find(identity);
  if (equal == state.wishes.end()) return std::nullopt;
  for (const StepId& id : equal->second) {
    if (stands(state, id, contract.repeat_allowed)) return id;
  }
  return std::nullopt;
}

std::optional<StepId> standing_before(const TaskState& state, const StepId& step) {
  for (const auto& [identity, steps] : state.wishes) {
    if (std::find(steps.begin(), steps.end(), step) == steps.end()) continue;
    const auto first = standing_in_the_way(state, identity, state.open.at(step).contract);
    return first == step ? std::nullopt : first;
  }
  return std::nullopt;
}

StepId outcome_for(const TaskState& state, const StepId& duplicate) {
  for (const auto& [identity, steps] : state.wishes) {
    const auto end = std::find(steps.begin(), steps.end(), duplicate);
    if (end == steps.end()) continue;
    StepId failed;
    for (auto earlier = steps.begin(); earlier != end; ++earlier) {
      if (stands(state, *earlier, false)) return *earlier;
      if (state_of_step(state, *earlier) == EffectState::kFailed) failed = *earlier;
    }
    return failed;
  }
  return {};
}

}  // namespace perdure::core
