#pragma once
// The client commands as subcommands of the program.
#include <memory>
#include <string>
#include <vector>

#include "cli/program.h"

namespace CLI {
class App;
}

namespace perdure::cli {

class Commands {
 public:
  // Adds them. `app` outlives it.
  explicit Commands(CLI::App& app);
  ~Commands();

  // Once the whole tree stands: an option that is given is not empty. What is empty would be taken
  // for not given, and what it protects from would happen.
  static void refuse_empty(CLI::App& app);

  // After parsing: whether one of them was named.
  bool is_named() const;
  // Runs it; its exit status.
  int run(const Program& program) const;

  // For shells: prints what can stand in the place of the last of these words, which begin behind
  // the program's name. docs/cli.md, "Completion".
  int complete(const std::vector<std::string>& words, const Program& program) const;

  // Of the parts of the tree.
  struct Flags;

 private:
  CLI::App& app_;
  std::unique_ptr<Flags> flags_;
};

}  // namespace perdure::cli
