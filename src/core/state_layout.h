#pragma once
// The state of a task as bytes, for a snapshot: a cache that the journal can make again. So there
// is one layout, and any other is not read.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/state.h"

namespace perdure::core {

// Raised with every change of the fields of the state, and with every change of what `evolve` makes
// of a record: a snapshot of another number is folded anew.
inline constexpr uint64_t kStateFormat = 1;

// With the bytes of inline payloads; others stay where they are.
std::string encode(const TaskState& state);
std::optional<TaskState> decode_state(std::string_view bytes);

}  // namespace perdure::core
