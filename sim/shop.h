#pragma once
// What the operator of the simulated world configured: tools of every class, a model, an agent.
#include <string>
#include <vector>

#include "dice.h"
#include "knobs.h"
#include "runtime/runtime.h"

namespace perdure::sim {

inline constexpr std::string_view kModelName = "m";
inline constexpr std::string_view kBackgroundModel = "slow";  // works on without a connection
inline constexpr std::string_view kAgentName = "helper";
inline constexpr std::string_view kWildPlanner = "wild";
inline constexpr std::string_view kLocalTool = "local";  // runs inside the planner

runtime::Setup make_setup(const Knobs& knobs, Dice& dice);

// Names of tools, those of acting ones more than once: they are where it hurts.
std::vector<std::string> tool_names(const runtime::Setup& setup);

}  // namespace perdure::sim
