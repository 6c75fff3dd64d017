#pragma once
// The client commands as subcommands of the program.
#include <memory>

#include "ports/clock.h"
#include "ports/http_client.h"

namespace CLI {
class App;
}

namespace perdure::cli {

class Commands {
 public:
  // Adds them. `app` outlives it.
  explicit Commands(CLI::App& app);
  ~Commands();

  // After parsing: whether one of them was named.
  bool is_named() const;
  // Runs it; its exit status. Both are used during the call.
  int run(HttpClient& http, Clock& clock) const;

 private:
  struct Flags;
  std::unique_ptr<Flags> flags_;
};

}  // namespace perdure::cli
