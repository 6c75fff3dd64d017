#pragma once
// What kind of place an IP address names. Ranges: the IANA special-purpose address registries for
// IPv4 and IPv6 (RFC 6890 and its updates), and the metadata addresses of the large clouds.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace perdure {

// 16 bytes in network order; an IPv4 address is kept in its mapped form ::ffff:a.b.c.d, so that the
// two spellings of one place are one value.
struct IpAddress {
  std::array<uint8_t, 16> bytes{};

  bool operator==(const IpAddress&) const = default;
  bool is_v4() const;
  bool is_unspecified() const;  // 0.0.0.0 or ::
  std::string to_string() const;

  // Dotted decimal or IPv6 text, nothing else: no shorthand, no zone, no brackets.
  static std::optional<IpAddress> parse(std::string_view text);
  // Nothing if the family is neither IPv4 nor IPv6.
  static std::optional<IpAddress> from_sockaddr(const sockaddr* address);
};

enum class Reach : uint8_t {
  kPublic,
  kPrivate,  // only where it was configured: loopback, private networks, shared address space
  kNever,    // metadata, link-local, multicast, tunnels, documentation, reserved, unassigned
};

struct AddressClass {
  Reach reach = Reach::kNever;
  std::string_view name;  // for people, e.g. "a link-local address"
};

AddressClass classify_address(const IpAddress& address);

// True if the address belongs to this machine: asks the kernel.
bool is_own_address(const IpAddress& address);

}  // namespace perdure
