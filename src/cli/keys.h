#pragma once
// perdure keys create | list | delete
#include <string>
#include <vector>

#include "cli/commands.h"

namespace perdure::cli {

struct KeyFlags {
  std::string name;
  std::vector<std::string> scopes;
  std::string tenant;
  std::string expires;  // "30d", or a time
};

// Prints the secret, alone, on the standard output.
int create_key(Context& context, const KeyFlags& flags);
int list_keys(Context& context);
int delete_key(Context& context, const std::string& id);

}  // namespace perdure::cli
