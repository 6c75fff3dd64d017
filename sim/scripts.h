#pragma once
// Random scripts for the shipping script planner.
#include <string>

#include "dice.h"

namespace perdure::sim {

class World;

// The input of a task. It always ends.
std::string random_script(World& world, const std::string& tag);

}  // namespace perdure::sim
