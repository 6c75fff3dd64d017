#pragma once
// perdure agents list | show | put
#include <string>

#include "cli/commands.h"

namespace perdure::cli {

int list_agents(Context& context);
int show_agent(Context& context, const std::string& name);
int put_agent(Context& context, const std::string& path);

// What the server says of an agent of this file that it took.
void print_warnings(const Output& to, const std::string& path, const json::object& agent);

// An agent file, with a name.
Result<json::object> read_agent_file(const std::string& path, const Program& program);

}  // namespace perdure::cli
