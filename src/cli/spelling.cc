#include "cli/spelling.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/text.h"

namespace perdure::cli {

std::optional<std::string> misspelt_command(const CLI::App& root,
                                            const std::vector<std::string>& words) {
  const CLI::App* app = &root;
  for (const std::string& word : words) {
    std::vector<std::string> names;
    const CLI::App* next = nullptr;
    for (const CLI::App* sub : app->get_subcommands(std::function<bool(const CLI::App*)>())) {
      names.push_back(sub->get_name());
      if (sub->get_name() == word) next = sub;
    }
    if (names.empty() || word.starts_with('-')) return std::nullopt;
    if (next == nullptr) {
      const auto near = nearest_word(word, names);
      return fmt::format("there is no command '{}'{}", visible(word),
                         near ? ", the nearest is '" + *near + "'" : "; see --help");
    }
    app = next;
  }
  return std::nullopt;
}

}  // namespace perdure::cli
