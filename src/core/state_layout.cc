#include "core/state_layout.h"

#include "journal/binary.h"

namespace perdure::core {

std::string encode(const TaskState& state) {
  std::string bytes;
  BinaryWriter(bytes, InlineBytes::kBehind).put(state);
  return bytes;
}

std::optional<TaskState> decode_state(std::string_view bytes) {
  TaskState state;
  BinaryReader in(bytes, InlineBytes::kBehind);
  in.get(state);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return state;
}

}  // namespace perdure::core
