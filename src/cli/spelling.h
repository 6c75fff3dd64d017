#pragma once
// Words that are no command.
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace perdure::cli {

// Of the words behind the program's name: what is wrong with the first that should be a command and
// is none, and which one is near.
std::optional<std::string> misspelt_command(const CLI::App& root,
                                            const std::vector<std::string>& words);

}  // namespace perdure::cli
