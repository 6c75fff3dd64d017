#include "adapters/curl/egress.h"

#include <fmt/core.h>

namespace perdure {

Status Egress::forbid(std::string_view address, uint16_t port) {
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return fail(Code::kInvalid, fmt::format("'{}' is not an IP address", address));
  const std::lock_guard lock(mutex_);
  listeners_.push_back({*parsed, port});
  return {};
}

bool Egress::is_listener(const IpAddress& address, uint16_t port) const {
  const std::lock_guard lock(mutex_);
  for (const Listener& listener : listeners_) {
    if (listener.port != port) continue;
    if (listener.address == address) return true;
    if (listener.address.is_unspecified() && is_own_address(address)) return true;
  }
  return false;
}

std::optional<std::string> Egress::refuses(const IpAddress& address, uint16_t port,
                                           bool allow_private) const {
  const AddressClass found = classify_address(address);
  if (found.reach == Reach::kNever) {
    return fmt::format("blocked: {} is {}", address.to_string(), found.name);
  }
  if (found.reach == Reach::kPrivate && !allow_private) {
    return fmt::format("blocked: {} is {}, and allow_private is not set", address.to_string(),
                       found.name);
  }
  if (is_listener(address, port)) {
    return fmt::format("blocked: {} port {} is this server itself", address.to_string(), port);
  }
  return std::nullopt;
}

}  // namespace perdure
