#pragma once
// Which steps a script still asks about: what its state must keep.
#include "script/program.h"

namespace perdure::script {

// Fills `mentions` and `in_repeat` from the operations.
void find_mentions(Program& program);

}  // namespace perdure::script
