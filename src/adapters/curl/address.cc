#include "adapters/curl/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace perdure {
namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

struct Range {
  const char* prefix;
  int bits;
  Reach reach;
  std::string_view name;
};

constexpr std::string_view kMetadata = "a cloud metadata address";

// The first match counts: exceptions stand before the range that holds them.
constexpr Range kV4[] = {
    {"169.254.169.254", 32, Reach::kNever, kMetadata},
    {"100.100.100.200", 32, Reach::kNever, kMetadata},
    {"168.63.129.16", 32, Reach::kNever, kMetadata},
    {"192.0.0.192", 32, Reach::kNever, kMetadata},
    {"0.0.0.0", 8, Reach::kNever, "an unspecified address"},
    {"10.0.0.0", 8, Reach::kPrivate, "a private address"},
    {"100.64.0.0", 10, Reach::kPrivate, "a shared (CGNAT) address"},
    {"127.0.0.0", 8, Reach::kPrivate, "a loopback address"},
    {"169.254.0.0", 16, Reach::kNever, "a link-local address"},
    {"172.16.0.0", 12, Reach::kPrivate, "a private address"},
    {"192.0.0.0", 24, Reach::kNever, "a protocol assignment"},
    {"192.0.2.0", 24, Reach::kNever, "a documentation address"},
    {"192.88.99.0", 24, Reach::kNever, "a 6to4 relay address"},
    {"192.168.0.0", 16, Reach::kPrivate, "a private address"},
    {"198.18.0.0", 15, Reach::kPrivate, "a benchmarking address"},
    {"198.51.100.0", 24, Reach::kNever, "a documentation address"},
    {"203.0.113.0", 24, Reach::kNever, "a documentation address"},
    {"224.0.0.0", 4, Reach::kNever, "a multicast address"},
    {"240.0.0.0", 4, Reach::kNever, "a reserved address"},
    {"0.0.0.0", 0, Reach::kPublic, "a public address"},
};

// Addresses that carry an IPv4 address inside (6to4, NAT64, Teredo, compatible) are refused whole:
// what they reach is decided by a box that we do not see.
constexpr Range kV6[] = {
    {"fd00:ec2::254", 128, Reach::kNever, kMetadata},
    {"fd20:ce::254", 128, Reach::kNever, kMetadata},
    {"::1", 128, Reach::kPrivate, "a loopback address"},
    {"::", 128, Reach::kNever, "an unspecified address"},
    {"fc00::", 7, Reach::kPrivate, "a unique local address"},
    {"fe80::", 10, Reach::kNever, "a link-local address"},
    {"fec0::", 10, Reach::kNever, "a site-local address"},
    {"ff00::", 8, Reach::kNever, "a multicast address"},
    {"64:ff9b::", 96, Reach::kNever, "a NAT64 address"},
    {"64:ff9b:1::", 48, Reach::kNever, "a NAT64 address"},
    {"2001::", 32, Reach::kNever, "a Teredo address"},
    {"2001::", 23, Reach::kNever, "a protocol assignment"},
    {"2001:db8::", 32, Reach::kNever, "a documentation address"},
    {"2002::", 16, Reach::kNever, "a 6to4 address"},
    {"3fff::", 20, Reach::kNever, "a documentation address"},
    {"2000::", 3, Reach::kPublic, "a public address"},
    {"::", 96, Reach::kNever, "an IPv4-compatible address"},
    {"::ffff:0:0:0", 96, Reach::kNever, "an IPv4-translated address"},
    {"100::", 64, Reach::kNever, "a discard address"},
    {"::", 0, Reach::kNever, "a reserved address"},
};

bool matches(const uint8_t* address, const uint8_t* prefix, int bits) {
  const int whole = bits / 8;
  if (std::memcmp(address, prefix, static_cast<size_t>(whole)) != 0) return false;
  const int rest = bits % 8;
  return rest == 0 || ((address[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

template <size_t kCount>
AddressClass first_match(const Range (&ranges)[kCount], int family, const uint8_t* address) {
  for (const Range& range : ranges) {
    uint8_t prefix[16];
    inet_pton(family, range.prefix, prefix);
    if (matches(address, prefix, range.bits)) return {range.reach, range.name};
  }
  return {Reach::kNever, "an unknown address"};
}

IpAddress mapped(const void* four_bytes) {
  IpAddress address;
  std::memcpy(address.bytes.data(), kMapped.data(), kMapped.size());
  std::memcpy(address.bytes.data() + kMapped.size(), four_bytes, 4);
  return address;
}

}  // namespace

bool IpAddress::is_v4() const {
  return std::memcmp(bytes.data(), kMapped.data(), kMapped.size()) == 0;
}

bool IpAddress::is_unspecified() const {
  return *this == IpAddress{} || *this == mapped("\0\0\0\0");
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  const bool v4 = is_v4();
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data() + (v4 ? kMapped.size() : 0), text, sizeof text);
  return text;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string copy(text);
  uint8_t four[4];
  if (inet_pton(AF_INET, copy.c_str(), four) == 1) return mapped(four);
  IpAddress address;
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::from_sockaddr(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof in);
    return mapped(&in.sin_addr);
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 in;
  std::memcpy(&in, address, sizeof in);
  IpAddress result;
  std::memcpy(result.bytes.data(), &in.sin6_addr, result.bytes.size());
  return result;
}

AddressClass classify_address(const IpAddress& address) {
  if (address.is_v4()) return first_match(kV4, AF_INET, address.bytes.data() + kMapped.size());
  return first_match(kV6, AF_INET6, address.bytes.data());
}

// Binding to an address succeeds only on the machine that has it, and sends nothing.
bool is_own_address(const IpAddress& address) {
  const bool v4 = address.is_v4();
  const int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;  // cannot tell: the answer that blocks
  sockaddr_in in4{};
  in4.sin_family = AF_INET;
  std::memcpy(&in4.sin_addr, address.bytes.data() + kMapped.size(), 4);
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  std::memcpy(&in6.sin6_addr, address.bytes.data(), 16);
  const int failed = v4 ? bind(fd, reinterpret_cast<const sockaddr*>(&in4), sizeof in4)
                        : bind(fd, reinterpret_cast<const sockaddr*>(&in6), sizeof in6);
  close(fd);
  return failed == 0;
}

}  // namespace perdure
