#pragma once
// The only writer of state, live and in recovery alike.
#include "base/error.h"
#include "core/state.h"
#include "journal/record.h"

namespace perdure::core {

// Adds one record. An error means that no binary of ours can have written this record in this
// state: the journal is damaged (Code::kCorrupt), and the state must not be used.
Status evolve(TaskState& state, const Record& record);

// Equal for the same decision, whoever made it.
Sha256 decision_digest(const InterruptResolved& decision);

}  // namespace perdure::core
