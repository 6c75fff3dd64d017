#include "server/free_bytes.h"

#include <cstdlib>

#include "adapters/system/disk_space.h"
#include "base/text.h"
#include "server/toml.h"

namespace perdure::server {

Result<uint64_t> free_bytes(const std::string& dir) {
#ifdef PERDURE_TEST_HOOKS
  if (const char* file = std::getenv("PERDURE_FREE_BYTES")) {
    const auto text = read_file(file);
    const auto planted = text ? parse_u64(*text) : std::nullopt;
    if (planted) return *planted;
  }
#endif
  return DiskSpace::free_bytes_of(dir);
}

}  // namespace perdure::server
