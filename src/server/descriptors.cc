#include "server/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace perdure::server {
namespace {

// The store with its readers, blobs, the log, what wakes threads; and pipes of a child that is
// being started.
constexpr size_t kOwn = 72;
// Its streams, what it says of its end, and itself.
constexpr size_t kOfChild = 5;
// Two addresses may be tried at once, and a name that is being resolved has three.
constexpr size_t kOfCall = 3;
constexpr size_t kConnectionsMax = 20'000;
constexpr size_t kCallsMax = 8'192;
constexpr size_t kFew = 8;

}  // namespace

size_t raise_descriptor_limit() {
  // What login shells allow is meant for programs that wait with select(), which this one does not.
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (limit.rlim_cur != before && setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log(LogLevel::kWarn, "server.descriptors", {{"why", std::strerror(errno)}});
    return before;
  }
  return limit.rlim_cur;
}

DescriptorShares share_descriptors(size_t limit, size_t children) {
  const size_t taken = kOwn + kOfChild * children;
  const size_t rest = limit - std::min(limit, taken);
  DescriptorShares shares;
  shares.calls = std::clamp(rest / (2 * kOfCall), kFew, kCallsMax);
  shares.connections =
      std::clamp(rest - std::min(rest, kOfCall * shares.calls), kFew, kConnectionsMax);
  return shares;
}

}  // namespace perdure::server
