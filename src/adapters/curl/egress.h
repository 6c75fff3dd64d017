#pragma once
// Where a request may go. Asked with the address that is about to be connected to, after the name
// was resolved, so that no spelling of a host and no answer of a name server can go around it.
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/curl/address.h"
#include "base/error.h"

namespace perdure {

// Thread-safe.
class Egress {
 public:
  // A listener of ours: never connected to, whatever else is allowed. `address` as it was bound; an
  // unspecified one stands for every address of this machine.
  Status forbid(std::string_view address, uint16_t port);

  // Why a connection is refused; nothing if it may be made.
  std::optional<std::string> refuses(const IpAddress& address, uint16_t port,
                                     bool allow_private) const;

 private:
  struct Listener {
    IpAddress address;
    uint16_t port = 0;
  };
  bool is_listener(const IpAddress& address, uint16_t port) const;

  mutable std::mutex mutex_;
  std::vector<Listener> listeners_;
};

}  // namespace perdure
