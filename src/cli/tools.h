#pragma once
// perdure tools list | check | accept
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/commands.h"

namespace perdure::cli {

int list_tools(Context& context);
// With a server of its own, with this configuration, if none answers. What is not as it should be
// is told, and the lines to paste for what is not declared; kProblems if there is any of that.
int check_tools(Context& context, const std::string& config);
int accept_tools(Context& context, const std::string& server);

// Is what this tool does to the world left to the defaults: never sent twice, a person asked each
// time? Not if the operator's file says the same.
bool is_undeclared(const json::object& tool);
// A line for each name in the contracts and the policy of the operator's file that is none of these
// tools': a rule that is misspelt does nothing. Of `unreached` servers the tools are not known.
// Pure.
std::vector<std::string> names_of_no_tool(const json::object& file,
                                          const std::vector<json::object>& tools,
                                          const std::vector<std::string>& unreached = {});
// The lines for the operator's file that declare these tools of one server. `table`: what the file
// says of that server now; null if it is not known. Pure.
std::string contract_lines(const std::string& server, const std::vector<std::string>& tools,
                           const json::object* table);

}  // namespace perdure::cli
