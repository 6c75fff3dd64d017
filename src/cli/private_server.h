#pragma once
// A server of one's own: started when none answers for a data directory, ending by itself when no
// task is open.
#include <functional>
#include <string>

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

// Returns when one answers. kWithThisFile: a server of one's own that was started with another
// operator's file than that of now is ended first, if it is not at work. Several processes may do
// this at once: the lock on the data directory lets one server live. It is detached from this
// terminal and writes `server.log` in the data directory. An error has the last lines of that.
Status ensure_server(Context& context, Attention& attention, const ServerFiles& files, Suits suits);

}  // namespace perdure::cli
