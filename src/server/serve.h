#pragma once
#include "server/config.h"

namespace perdure::server {

// Runs the server until SIGINT or SIGTERM, then drains. Prints where it listens to stdout once it
// serves. With `until_idle_ms` it also ends when nobody asks and no task is open; true: one was
// accepted in the last moment, so serve again.
Result<bool> serve(Config config);

}  // namespace perdure::server
