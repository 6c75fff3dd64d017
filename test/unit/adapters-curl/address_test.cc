#include "adapters/curl/address.h"

#include <gtest/gtest.h>

#include "adapters/curl/egress.h"

namespace perdure {
namespace {

struct Row {
  const char* address;
  Reach reach;
  const char* name;
};

constexpr Reach kPublic = Reach::kPublic;
constexpr Reach kPrivate = Reach::kPrivate;
constexpr Reach kNever = Reach::kNever;

// Both ends of every range and the neighbours outside.
constexpr Row kRows[] = {
    {"8.8.8.8", kPublic, "a public address"},
    {"1.0.0.0", kPublic, "a public address"},
    {"0.0.0.0", kNever, "an unspecified address"},
    {"0.255.255.255", kNever, "an unspecified address"},
    {"9.255.255.255", kPublic, "a public address"},
    {"10.0.0.0", kPrivate, "a private address"},
    {"10.255.255.255", kPrivate, "a private address"},
    {"11.0.0.0", kPublic, "a public address"},
    {"100.63.255.255", kPublic, "a public address"},
    {"100.64.0.0", kPrivate, "a shared (CGNAT) address"},
    {"100.100.100.200", kNever, "a cloud metadata address"},
    {"100.127.255.255", kPrivate, "a shared (CGNAT) address"},
    {"100.128.0.0", kPublic, "a public address"},
    {"126.255.255.255", kPublic, "a public address"},
    {"127.0.0.0", kPrivate, "a loopback address"},
    {"127.0.0.1", kPrivate, "a loopback address"},
    {"127.255.255.255", kPrivate, "a loopback address"},
    {"128.0.0.0", kPublic, "a public address"},
    {"168.63.129.15", kPublic, "a public address"},
    {"168.63.129.16", kNever, "a cloud metadata address"},
    {"169.253.255.255", kPublic, "a public address"},
    {"169.254.0.0", kNever, "a link-local address"},
    {"169.254.169.254", kNever, "a cloud metadata address"},
    {"169.254.170.2", kNever, "a link-local address"},
    {"169.254.255.255", kNever, "a link-local address"},
    {"172.15.255.255", kPublic, "a public address"},
    {"172.16.0.0", kPrivate, "a private address"},
    {"172.31.255.255", kPrivate, "a private address"},
    {"172.32.0.0", kPublic, "a public address"},
    {"192.0.0.0", kNever, "a protocol assignment"},
    {"192.0.0.192", kNever, "a cloud metadata address"},
    {"192.0.0.255", kNever, "a protocol assignment"},
    {"192.0.1.0", kPublic, "a public address"},
    {"192.0.2.1", kNever, "a documentation address"},
    {"192.88.99.1", kNever, "a 6to4 relay address"},
    {"192.88.100.0", kPublic, "a public address"},
    {"192.167.255.255", kPublic, "a public address"},
    {"192.168.0.0", kPrivate, "a private address"},
    {"192.168.255.255", kPrivate, "a private address"},
    {"192.169.0.0", kPublic, "a public address"},
    {"198.17.255.255", kPublic, "a public address"},
    {"198.18.0.0", kPrivate, "a benchmarking address"},
    {"198.19.255.255", kPrivate, "a benchmarking address"},
    {"198.20.0.0", kPublic, "a public address"},
    {"198.51.100.7", kNever, "a documentation address"},
    {"203.0.113.7", kNever, "a documentation address"},
    {"223.255.255.255", kPublic, "a public address"},
    {"224.0.0.1", kNever, "a multicast address"},
    {"239.255.255.255", kNever, "a multicast address"},
    {"240.0.0.0", kNever, "a reserved address"},
    {"255.255.255.255", kNever, "a reserved address"},
    {"::", kNever, "an unspecified address"},
    {"::1", kPrivate, "a loopback address"},
    {"::2", kNever, "an IPv4-compatible address"},
    {"::127.0.0.1", kNever, "an IPv4-compatible address"},
    {"::ffff:8.8.8.8", kPublic, "a public address"},
    {"::ffff:127.0.0.1", kPrivate, "a loopback address"},
    {"::ffff:10.1.2.3", kPrivate, "a private address"},
    {"::ffff:169.254.169.254", kNever, "a cloud metadata address"},
    {"::ffff:a9fe:a9fe", kNever, "a cloud metadata address"},
    {"::ffff:0.0.0.0", kNever, "an unspecified address"},
    {"::ffff:0:127.0.0.1", kNever, "an IPv4-translated address"},
    {"64:ff9b::8.8.8.8", kNever, "a NAT64 address"},
    {"64:ff9b::10.0.0.1", kNever, "a NAT64 address"},
    {"64:ff9b:1::1", kNever, "a NAT64 address"},
    {"100::1", kNever, "a discard address"},
    {"2000::1", kPublic, "a public address"},
    {"2001::1", kNever, "a Teredo address"},
    {"2001:2::1", kNever, "a protocol assignment"},
    {"2001:1ff:ffff::1", kNever, "a protocol assignment"},
    {"2001:200::1", kPublic, "a public address"},
    {"2001:db8::1", kNever, "a documentation address"},
    {"2001:4860:4860::8888", kPublic, "a public address"},
    {"2002:7f00:1::1", kNever, "a 6to4 address"},
    {"2003::1", kPublic, "a public address"},
    {"3fff::1", kNever, "a documentation address"},
    {"3fff:fff:ffff::1", kNever, "a documentation address"},
    {"3fff:1000::1", kPublic, "a public address"},
    {"4000::1", kNever, "a reserved address"},
    {"5f00::1", kNever, "a reserved address"},
    {"fbff::1", kNever, "a reserved address"},
    {"fc00::1", kPrivate, "a unique local address"},
    {"fd12:3456::1", kPrivate, "a unique local address"},
    {"fd00:ec2::254", kNever, "a cloud metadata address"},
    {"fd20:ce::254", kNever, "a cloud metadata address"},
    {"fe80::1", kNever, "a link-local address"},
    {"febf::1", kNever, "a link-local address"},
    {"fec0::1", kNever, "a site-local address"},
    {"ff02::1", kNever, "a multicast address"},
};

TEST(ClassifyAddress, KnowsEverySpecialRange) {
  for (const Row& row : kRows) {
    const auto address = IpAddress::parse(row.address);
    ASSERT_TRUE(address) << row.address;
    const AddressClass found = classify_address(*address);
    EXPECT_EQ(static_cast<int>(found.reach), static_cast<int>(row.reach)) << row.address;
    EXPECT_EQ(found.name, row.name) << row.address;
  }
}

TEST(IpAddress, TakesNoShorthand) {
  for (const char* text : {"", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.1.",
                           "fe80::1%lo", "[::1]", " 127.0.0.1", "localhost"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("127.0.0.1\0x", 11)));
}

TEST(IpAddress, MappedAndPlainAreOnePlace) {
  EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1"), IpAddress::parse("10.0.0.1"));
  EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1")->to_string(), "10.0.0.1");
  EXPECT_EQ(IpAddress::parse("2001:DB8:0::1")->to_string(), "2001:db8::1");
}

TEST(Egress, PrivateOnlyWhereAllowedAndMetadataNever) {
  const Egress egress;
  const auto refuses = [&](const char* address, bool allow_private) {
    return egress.refuses(*IpAddress::parse(address), 80, allow_private).has_value();
  };
  EXPECT_FALSE(refuses("8.8.8.8", false));
  EXPECT_TRUE(refuses("10.0.0.1", false));
  EXPECT_FALSE(refuses("10.0.0.1", true));
  EXPECT_TRUE(refuses("169.254.169.254", true));
  EXPECT_TRUE(refuses("169.254.1.1", true));
  EXPECT_TRUE(refuses("0.0.0.0", true));
}

TEST(Egress, OurOwnListenerNever) {
  Egress egress;
  ASSERT_TRUE(egress.forbid("127.0.0.1", 8080));
  ASSERT_TRUE(egress.forbid("0.0.0.0", 9090));
  EXPECT_FALSE(egress.forbid("localhost", 1));
  const auto refuses = [&](const char* address, uint16_t port) {
    return egress.refuses(*IpAddress::parse(address), port, true).has_value();
  };
  EXPECT_TRUE(refuses("127.0.0.1", 8080));
  EXPECT_TRUE(refuses("::ffff:127.0.0.1", 8080));
  EXPECT_FALSE(refuses("127.0.0.1", 8081));
  EXPECT_FALSE(refuses("127.0.0.2", 8080));
  EXPECT_TRUE(refuses("127.0.0.1", 9090));
  EXPECT_TRUE(refuses("127.0.0.2", 9090));   // this machine too
  EXPECT_FALSE(refuses("8.8.8.8", 9090));    // not this machine
  EXPECT_FALSE(refuses("10.99.1.2", 9090));  // nor this
}

}  // namespace
}  // namespace perdure
