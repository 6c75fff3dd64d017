#pragma once
// perdure agents list | show | put
#include <string>

#include "cli/commands.h"

namespace perdure::cli {

int list_agents(Context& context);
int show_agent(Context& context, const std::string& name);
int put_agent(Context& context, const std::string& path);

// An agent file, with a name.
Result<json::object> read_agent_file(const std::string& path, const Program& program);

}  // namespace perdure::cli
