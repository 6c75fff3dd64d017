#pragma once
// The process that serves a data directory on this machine: which it is, with which configuration
// it runs, and how it is stopped.
#include <sys/types.h>

#include <optional>
#include <string>

#include "cli/attention.h"
#include "cli/commands.h"

namespace perdure::cli {

// What a server says of itself in the file `running` of its data directory.
struct RunningServer {
  pid_t pid = 0;
  std::string config_sha256;  // hex, of the operator's file; empty if there was none
  bool is_private = false;    // as `perdure run` starts them: until idle, on any port
};

std::string running_text(const RunningServer& server);
// Nothing if no process holds the data directory, or it has not said yet.
std::optional<RunningServer> running_server(const std::string& data_dir);

// Of the bytes of a file; empty if it cannot be read.
std::string file_sha256(const std::string& path);

// Whether a process holds the data directory at this moment. Its lock ends with it, in whatever way
// that ends.
bool is_held(const std::string& data_dir);

// Ends it with SIGTERM, and returns when it has ended. false: that process does not hold this data
// directory, or no longer, and nothing was sent to it.
Result<bool> end_server(const RunningServer& server, const std::string& data_dir, Context& context,
                        Attention& attention);

// perdure stop
int stop_server(Context& context);

}  // namespace perdure::cli
