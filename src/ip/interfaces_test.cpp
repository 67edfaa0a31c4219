#include "ip/interfaces.h"

#include <gtest/gtest.h>

#include "ip/hash_of.h"

namespace estab::ip {
namespace {

Cidr cidr(const char* text) {
  return *Cidr::parse(text);
}
IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

/// Two interfaces, the addresses given.
InterfaceTable table_with(std::initializer_list<const char*> first,
                          std::initializer_list<const char*> second = {}) {
  InterfaceTable table;
  const InterfaceId a = table.add({.name = "first"});
  const InterfaceId b = table.add({.name = "second"});
  for (const char* text : first) EXPECT_TRUE(table.add_address(a, cidr(text))) << text;
  for (const char* text : second) EXPECT_TRUE(table.add_address(b, cidr(text))) << text;
  return table;
}
constexpr InterfaceId kFirst{0}, kSecond{1};

TEST(InterfaceTable, NumbersInterfacesInOrderAndKeepsTheirSettings) {
  InterfaceTable table;
  EXPECT_EQ(table.add({.name = "tun0", .mtu = 9000, .checksum_offload = true}), kFirst);
  EXPECT_EQ(table.add({.name = "tun1"}), kSecond);
  EXPECT_EQ(table.config(kFirst).name, "tun0");
  EXPECT_EQ(table.config(kFirst).mtu, 9000);
  EXPECT_TRUE(table.config(kFirst).checksum_offload);
  EXPECT_TRUE(table.contains(kSecond));
  EXPECT_FALSE(table.contains(InterfaceId{2}));
  EXPECT_FALSE(table.contains(InterfaceId{}));
}

// RFC 791 §3.2: every link carries 68 octets.
TEST(InterfaceTable, RaisesAnMtuNoLinkHas) {
  InterfaceTable table;
  table.add({.name = "tiny", .mtu = 0});
  EXPECT_EQ(table.config(kFirst).mtu, 68);
  EXPECT_TRUE(table.set_mtu(kFirst, 1280));
  EXPECT_EQ(table.config(kFirst).mtu, 1280);
  EXPECT_TRUE(table.set_mtu(kFirst, 67));
  EXPECT_EQ(table.config(kFirst).mtu, 68);
  EXPECT_EQ(table.set_mtu(kSecond, 1500).error(), Error::no_such_id);
}

// RFC 8200 §5.
TEST(InterfaceTable, HasNoIpV6OnALinkThatIsTooNarrow) {
  auto table = table_with({"10.0.0.1/24"}, {"fd00::1/64"});
  EXPECT_TRUE(table.set_mtu(kFirst, 1279));
  EXPECT_EQ(table.add_address(kFirst, cidr("fd00::2/64")).error(), Error::mtu_too_small);
  EXPECT_EQ(table.set_mtu(kSecond, 1279).error(), Error::mtu_too_small);
  EXPECT_EQ(table.config(kSecond).mtu, 1500);
}

TEST(InterfaceTable, KnowsNothingOfWhatWasRemoved) {
  auto table = table_with({"10.0.0.1/24", "fd00::1/64"}, {"10.0.1.1/24"});
  EXPECT_EQ(*table.remove_address(kFirst, address("10.0.0.1")), cidr("10.0.0.1/24"));
  EXPECT_FALSE(table.is_local(address("10.0.0.1")));
  EXPECT_TRUE(table.is_local(address("fd00::1")));
  EXPECT_TRUE(table.remove(kFirst));
  EXPECT_FALSE(table.is_local(address("fd00::1")));
  EXPECT_TRUE(table.is_local(address("10.0.1.1")));
  EXPECT_FALSE(table.contains(kFirst));
  EXPECT_TRUE(table.addresses(kFirst).empty());
  EXPECT_EQ(table.remove(kFirst).error(), Error::no_such_id);
  EXPECT_EQ(table.add({.name = "again"}), (InterfaceId{0, 1}));
  EXPECT_EQ(table.find("again"), (InterfaceId{0, 1}));
  EXPECT_EQ(table.in_zone(1), (InterfaceId{0, 1}));
  EXPECT_EQ(table.find("first"), std::nullopt);
}

// RFC 4007: link-local addresses stand in the zone of their interface.
TEST(InterfaceTable, TellsTheSameLinkLocalAddressOfTwoLinksApart) {
  const auto table = table_with({"fe80::1/64", "fe80::2/64"}, {"fe80::1/64"});
  EXPECT_TRUE(table.is_local(address("fe80::1%1")));
  EXPECT_TRUE(table.is_local(address("fe80::1%2")));
  EXPECT_FALSE(table.is_local(address("fe80::2%2")));
  EXPECT_EQ(*table.own(address("fe80::2")), address("fe80::2%1"));
  EXPECT_EQ(*table.own(address("fe80::1%2")), address("fe80::1%2"));
  EXPECT_EQ(table.own(address("fe80::1")).error(), Error::invalid_argument);
  EXPECT_EQ(table.own(address("fe80::3")).error(), Error::address_not_available);
  EXPECT_EQ(table.own(address("fe80::1%3")).error(), Error::address_not_available);
  EXPECT_EQ(table.in_zone(2), kSecond);
  EXPECT_EQ(table.in_zone(0), std::nullopt);
  EXPECT_EQ(table.in_zone(3), std::nullopt);
}

TEST(InterfaceTable, KnowsItsAddressesOnEveryInterface) {
  const auto table = table_with({"10.0.0.1/24", "fd00::1/64"}, {"10.0.1.1/24"});
  EXPECT_TRUE(table.is_local(address("10.0.0.1")));
  EXPECT_TRUE(table.is_local(address("fd00::1")));
  EXPECT_TRUE(table.is_local(address("10.0.1.1")));
  EXPECT_FALSE(table.is_local(address("10.0.0.2")));
  EXPECT_FALSE(table.is_local(address("127.0.0.1")));
  EXPECT_TRUE(table.has_address(kSecond, address("10.0.1.1")));
  EXPECT_FALSE(table.has_address(kFirst, address("10.0.1.1")));
  EXPECT_FALSE(table.has_address(InterfaceId{7}, address("10.0.1.1")));
}

TEST(InterfaceTable, FindsEachOfManyAddresses) {
  InterfaceTable table;
  table.add({.name = "many"});
  for (unsigned i = 1; i < 200; ++i) {
    const auto host = static_cast<std::uint8_t>(i * 7 % 200 + 1);
    ASSERT_TRUE(table.add_address(kFirst, {IpAddress::v4(10, 0, 0, host), 24}));
  }
  unsigned known = 0;
  for (unsigned i = 0; i < 256; ++i) {
    known += table.is_local(IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(i))) ? 1 : 0;
  }
  EXPECT_EQ(known, 199u);
}

// RFC 1122 §3.2.1.3, RFC 4291 §2.5: what may not be the address of a host.
// [RFC 1122 3.2.1.3-3, 3.2.1.3-4, 3.2.1.3-5, 3.2.1.3-6, 3.2.1.3-9]
TEST(InterfaceTable, RefusesAddressesThatAreNoHosts) {
  InterfaceTable table;
  table.add({.name = "only"});
  for (const char* text :
       {"0.0.0.0/8", "::/64", "0.1.2.3/8", "127.0.0.1/8", "::1/128", "224.0.0.1/24", "ff02::1/64",
        "255.255.255.255/32", "10.0.0.255/24", "10.0.0.0/24", "10.0.0.3/30"}) {
    EXPECT_EQ(table.add_address(kFirst, cidr(text)).error(), Error::address_not_available) << text;
  }
  EXPECT_TRUE(table.addresses(kFirst).empty());
}

// RFC 3021: neither address of a /31 is a broadcast.
TEST(InterfaceTable, TakesBothAddressesOfAPointToPointPrefix) {
  table_with({"10.0.0.0/31", "10.0.0.7/31", "10.0.1.0/32", "fd00::/127"});
}

// [RFC 1122 3.2.2.9-9]
TEST(InterfaceTable, RefusesNonsenseAndDuplicates) {
  auto table = table_with({"10.0.0.1/24"});
  const auto error_of = [&](InterfaceId id, const Cidr& own) {
    return table.add_address(id, own).error();
  };
  EXPECT_EQ(error_of(kFirst, {address("10.0.0.2"), 33}), Error::invalid_argument);
  EXPECT_EQ(error_of(kFirst, {address("fd00::2"), 129}), Error::invalid_argument);
  EXPECT_EQ(error_of(InterfaceId{9}, cidr("10.0.0.2/24")), Error::no_such_id);
  EXPECT_EQ(error_of(kFirst, cidr("10.0.0.1/16")), Error::address_in_use);
  EXPECT_EQ(error_of(kSecond, cidr("10.0.0.1/24")), Error::address_in_use);
}

// [RFC 1122 3.2.1.3-8, 3.2.2.9-1, 3.3.6-1]
TEST(InterfaceTable, KnowsTheBroadcastsOfEachLink) {
  const auto table = table_with({"10.0.0.1/24", "172.16.0.1/16"}, {"10.0.1.1/24"});
  EXPECT_TRUE(table.is_broadcast(kFirst, address("255.255.255.255")));
  EXPECT_TRUE(table.is_broadcast(kFirst, address("10.0.0.255")));
  EXPECT_TRUE(table.is_broadcast(kFirst, address("172.16.255.255")));
  EXPECT_FALSE(table.is_broadcast(kFirst, address("172.16.0.255")));
  EXPECT_FALSE(table.is_broadcast(kFirst, address("10.0.1.255")));
  EXPECT_TRUE(table.is_broadcast(kSecond, address("10.0.1.255")));
  EXPECT_FALSE(table.is_broadcast(kFirst, address("ff02::1")));
}

// RFC 1122 §3.2.1.3: a datagram with an invalid source is discarded; MUST-63 of RFC 9293.
// [RFC 1122 3.2.1.3-11]
TEST(InterfaceTable, BelievesOnlySourcesThatCanBeHostsElsewhere) {
  const auto table = table_with({"10.0.0.1/24", "fd00::1/64"}, {"10.0.1.1/24"});
  for (const char* text : {"10.0.0.2", "198.51.100.1", "fd00::2", "fe80::1", "10.0.2.255"}) {
    EXPECT_TRUE(table.is_valid_source(address(text))) << text;
  }
  for (const char* text :
       {"0.0.0.0", "0.0.0.5", "::", "127.0.0.1", "127.9.9.9", "::1", "224.0.0.1", "ff02::1",
        "255.255.255.255", "10.0.0.255", "10.0.1.255", "10.0.0.1", "fd00::1"}) {
    EXPECT_FALSE(table.is_valid_source(address(text))) << text;
  }
}

TEST(SelectSource, HasNoneOfTheOtherFamily) {
  const auto table = table_with({"10.0.0.1/24"});
  EXPECT_EQ(table.select_source(kFirst, address("fd00::1")), std::nullopt);
  EXPECT_EQ(table.select_source(kFirst, address("198.51.100.1")), address("10.0.0.1"));
}

// RFC 6724 §5 rule 1.
TEST(SelectSource, PrefersTheDestinationItselfWhenItIsOurs) {
  const auto table = table_with({"10.0.0.1/24", "10.0.0.2/24"}, {"10.0.1.1/24"});
  EXPECT_EQ(table.select_source(kFirst, address("10.0.0.2")), address("10.0.0.2"));
  EXPECT_EQ(table.select_source(kFirst, address("10.0.1.1")), address("10.0.1.1"));
}

// RFC 6724 §5 rule 2.
TEST(SelectSource, MatchesTheScope) {
  const auto table = table_with({"fe80::1/64", "2001:db8::1/64"});
  EXPECT_EQ(table.select_source(kFirst, address("fe80::9")), address("fe80::1%1"));
  EXPECT_EQ(table.select_source(kFirst, address("ff02::1")), address("fe80::1%1"));
  EXPECT_EQ(table.select_source(kFirst, address("2001:db9::1")), address("2001:db8::1"));
  EXPECT_EQ(table.select_source(kFirst, address("ff0e::1")), address("2001:db8::1"));
}

TEST(SelectSource, TakesTheOnlyAddressWhateverItsScope) {
  const auto table = table_with({"fe80::1/64"}, {"2001:db8::1/64"});
  EXPECT_EQ(table.select_source(kSecond, address("fe80::9")), address("2001:db8::1"));
}

// RFC 4291 §2.5.6: a link-local address is good on its own link only.
TEST(SelectSource, NeverTakesALinkLocalAddressToAnotherLink) {
  const auto table = table_with({"fe80::1/64"}, {"10.0.0.1/8"});
  EXPECT_EQ(table.select_source(kSecond, address("2001:db8::1")), std::nullopt);
  EXPECT_EQ(table.select_source(kFirst, address("2001:db8::1")), address("fe80::1%1"));
}

// RFC 6724 §5 rule 5.
TEST(SelectSource, PrefersTheOutgoingInterface) {
  const auto table = table_with({"10.0.0.1/24"}, {"10.0.1.1/24"});
  EXPECT_EQ(table.select_source(kFirst, address("10.0.1.9")), address("10.0.0.1"));
  EXPECT_EQ(table.select_source(kSecond, address("10.0.1.9")), address("10.0.1.1"));
}

// RFC 6724 §5 rule 8; RFC 1122 §3.3.4.3 (a).
TEST(SelectSource, PrefersTheLongestMatchingPrefix) {
  const auto table =
      table_with({"10.0.0.1/24", "172.16.0.1/16", "2001:db8:1::1/48", "2001:db8:2::1/48"});
  EXPECT_EQ(table.select_source(kFirst, address("172.16.9.9")), address("172.16.0.1"));
  EXPECT_EQ(table.select_source(kFirst, address("10.0.0.9")), address("10.0.0.1"));
  EXPECT_EQ(table.select_source(kFirst, address("2001:db8:2::9")), address("2001:db8:2::1"));
  EXPECT_EQ(table.select_source(kFirst, address("2001:db8:1::9")), address("2001:db8:1::1"));
}

// RFC 6724 §2.2: bits beyond the source's own prefix do not count; then the first added wins.
TEST(SelectSource, CountsNoBitsBeyondThePrefix) {
  const auto table = table_with({"10.0.0.1/8", "10.0.0.130/8"});
  EXPECT_EQ(table.select_source(kFirst, address("10.0.0.131")), address("10.0.0.1"));
}

TEST(InterfaceTable, IsAValue) {
  auto table = table_with({"10.0.0.1/24"});
  auto copy = table;
  EXPECT_EQ(copy, table);
  EXPECT_EQ(hash_of(copy), hash_of(table));
  ASSERT_TRUE(copy.add_address(kFirst, cidr("10.0.0.2/24")));
  EXPECT_NE(copy, table);
  EXPECT_NE(hash_of(copy), hash_of(table));
  EXPECT_FALSE(table.is_local(address("10.0.0.2")));
}

}  // namespace
}  // namespace estab::ip
