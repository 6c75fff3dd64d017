#pragma once
#include "server/config.h"

namespace perdure::server {

// Runs the server until SIGINT or SIGTERM, then drains. Prints where it listens to stdout once it
// serves.
Status serve(Config config);

}  // namespace perdure::server
