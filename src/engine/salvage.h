#pragma once
// What can still be read of a damaged task: whose it was, and which of its calls may have happened
// without an outcome that is known. Each frame counts by itself here: one that follows the damage
// and is whole still says what it says.
#include <string_view>
#include <vector>

#include "engine/damage.h"

namespace perdure::engine {

struct Salvage {
  TaskRow row;  // as that of a task that has failed
  std::vector<OpenEffect> effects;
  std::vector<TimerRow> timers;
  std::vector<InterruptRow> interrupts;
};

// `secret` is the store's: keys of calls derive from it. Reads the whole journal.
Result<Salvage> salvage(StoreReader& store, const TaskId& task, std::string_view secret,
                        int64_t now_ms);

// The tenant that the journal names, or the row if that is whole; empty: neither can be read.
std::string tenant_of(StoreReader& store, const TaskId& task);

}  // namespace perdure::engine
