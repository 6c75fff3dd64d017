#include "core/state.h"

#include <algorithm>

#include "journal/binary.h"

namespace perdure::core {

TaskStatus status_of(const TaskState& state) {
  if (state.ended) return state.ended->status;
  if (state.ending) return TaskStatus::kWorking;
  if (!state.interrupts.empty()) return TaskStatus::kInputRequired;
  return state.turn.number == 0 ? TaskStatus::kPending : TaskStatus::kWorking;
}

Phase phase_of(const TaskState& state) {
  if (state.ended || !state.ending) return Phase::kRunning;
  return state.ending->status == TaskStatus::kCancelled ? Phase::kCancelling : Phase::kFinishing;
}

uint64_t model_turns_of(const TaskState& state) {
  const auto may_count = [](const auto& asked) {
    return asked.second.open > 0 && !asked.second.counted;
  };
  const auto& asking = state.turn.asking;
  return state.turn.model_turns +
         static_cast<uint64_t>(std::count_if(asking.begin(), asking.end(), may_count));
}

Sha256 hash_of(const TaskState& state) {
  std::string bytes;
  BinaryWriter(bytes).put(state);
  return sha256(bytes);
}

std::optional<EffectState> state_of_step(const TaskState& state, const StepId& step) {
  if (const auto open = state.open.find(step); open != state.open.end()) return open->second.state;
  if (const auto closed = state.closed.find(step); closed != state.closed.end()) {
    return closed->second.state;
  }
  return std::nullopt;
}

}  // namespace perdure::core
