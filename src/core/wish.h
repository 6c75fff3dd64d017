#pragma once
// The same wish again: a model that was told "timeout" asks for the same thing once more. Equal
// calls have equal identities, which the operator's configuration defines.
#include <optional>

#include "core/state.h"

namespace perdure::core {

// The first equal call that is under way, has happened or may have: a person is asked before this
// one is sent. Nothing for reads and repeats, for identities that a person does not want to be
// asked about, and after a success where the tool may repeat.
std::optional<StepId> standing_in_the_way(const TaskState& state, const Sha256& identity,
                                          const Contract& contract);
// The same for a step that is planned: the calls that were there before it.
std::optional<StepId> standing_before(const TaskState& state, const StepId& step);

// The call whose outcome a rejected duplicate gets: the earlier equal one that stands; or, if none
// does any more, the last that failed. Empty: there is no outcome.
StepId outcome_for(const TaskState& state, const StepId& duplicate);

}  // namespace perdure::core
