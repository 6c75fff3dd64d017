#pragma once
// A server of one's own: started when none answers for a data directory, ending by itself when no
// task is open.
#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>

#include "cli/attention.h"
#include "cli/commands.h"

namespace perdure::cli {

struct ServerFiles {
  std::string config;    // the operator's file
  std::string data_dir;  // made if it is not there
};

// Whether a server answers where the client looks for it. Nothing secret is sent.
bool is_there(Client& client);

// Which server will do. Whoever only goes on takes any: two who each insisted on a file of their
// own would end each other's server without end.
enum class Suits { kAny, kWithThisFile };

// Several processes may do this at once: the lock on the data directory lets one server live. It is
// detached from this terminal and writes `server.log` in the data directory.
class PrivateServer {
 public:
  // Both outlive it.
  PrivateServer(Context& context, Attention& attention, ServerFiles files)
      : context_(context), attention_(attention), files_(std::move(files)) {}

  // Returns when one answers. kWithThisFile: a server of one's own that was started with another
  // operator's file than that of now is ended first; one that has to stay is told about on the
  // error output, once. An error has the last lines of `server.log`.
  Status ensure(Suits suits);

  // Until `request` ends with something else than kUnavailable, or half a minute has passed: a
  // server that was there may have ended since, or be shutting down. In between one with this file
  // is ensured. It must be safe to make the request twice.
  Status ask(const std::function<Status()>& request);

 private:
  Result<bool> is_current();
  Status start(Suits suits);

  Context& context_;
  Attention& attention_;
  const ServerFiles files_;
  pid_t told_of_ = 0;  // a server that goes on with another file
};

}  // namespace perdure::cli
