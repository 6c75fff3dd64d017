#pragma once
// Following one task: what happens is told as it happens, over restarts of the server.
#include <functional>
#include <string>

#include "cli/attention.h"
#include "cli/commands.h"

namespace perdure::cli {

struct FollowFlags {
  bool is_told = true;              // else only waited
  bool on_output = false;           // told on the standard output, not the error output
  bool as_json = false;             // one event a line, on the standard output
  bool until_asked = false;         // a question to a person ends it
  bool asks_here = false;           // questions are put to the person at this terminal
  int64_t patience_ms = INT64_MAX;  // how long a server that went away is waited for
  // Called when the server went away: may start another.
  std::function<Status()> revive;
};

// The exit status: kDone when the task has completed, kFailed, kIsAsking, kInterrupted, kNoServer,
// kRefused. `task` becomes the task as it is then, if it could be read.
int follow(Context& context, Attention& attention, const std::string& id, const FollowFlags& flags,
           json::object& task);

}  // namespace perdure::cli
