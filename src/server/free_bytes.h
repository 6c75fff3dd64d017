#pragma once
#include <cstdint>
#include <string>

#include "base/error.h"

namespace perdure::server {

// What is free on the disk of a directory. In a build with test hooks the file that
// PERDURE_FREE_BYTES names may say otherwise.
Result<uint64_t> free_bytes(const std::string& dir);

}  // namespace perdure::server
