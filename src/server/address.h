#pragma once
// Where the server listens, as it is shown and as the command line is told.
#include <cstdint>
#include <string>

#include "base/error.h"
#include "server/config.h"

namespace perdure::server {

std::string shown_address(const Config& config, uint16_t port);

// The files in the data directory that the command line reads: where the server listens, and which
// process runs with which operator's file.
Status write_address(const Config& config, uint16_t port);
// First the second: a server that ends is nobody's to end.
void remove_running(const Config& config);
void remove_address(const Config& config);

}  // namespace perdure::server
