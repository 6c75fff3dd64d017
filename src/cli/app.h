#pragma once
// The client commands as subcommands of the program.
#include <memory>

#include "ports/http_client.h"

namespace CLI {
class App;
}

namespace perdure::cli {

class Commands {
 public:
  // Adds `tasks`, `inbox` and `resolve`. `app` outlives it.
  explicit Commands(CLI::App& app);
  ~Commands();

  // After parsing: whether one of them was named.
  bool is_named() const;
  // Runs it; its exit status. `http` is used during the call.
  int run(HttpClient& http) const;

 private:
  struct Flags;
  std::unique_ptr<Flags> flags_;
};

}  // namespace perdure::cli
