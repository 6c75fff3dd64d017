#pragma once
#include <string>

#include "base/error.h"
#include "ports/clock.h"

namespace perdure::server {

// The token of whoever owns the data directory: read from `<dir>/token`, made there (mode 0600) at
// the first start. The command line reads the same file.
Result<std::string> own_token(const std::string& dir, Rng& rng);

}  // namespace perdure::server
