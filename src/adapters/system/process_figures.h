#pragma once
#include <optional>

#include "ports/process_figures.h"

namespace perdure {

// From /proc/self (proc(5)); nothing where that cannot be read. Thread-safe.
std::optional<ProcessFigures> process_figures();

}  // namespace perdure
