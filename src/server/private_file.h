#pragma once
#include <string>

#include "base/error.h"

namespace perdure::server {

// Writes `text` to `path` for its owner only (mode 0600), under another name first: a file that is
// there is whole.
Status write_private(const std::string& path, const std::string& text);
// The same, and it outlasts a loss of power.
Status write_private_durably(const std::string& path, const std::string& text);

}  // namespace perdure::server
