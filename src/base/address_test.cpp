#include "estab/address.h"

#include <gtest/gtest.h>

#include "estab/id.h"

#include "base/prng.h"

namespace estab {
namespace {

IpAddress ip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(IpAddress());
}

TEST(IpAddress, ReadsADottedQuad) {
  EXPECT_EQ(IpAddress::parse("192.0.2.1"), IpAddress::v4(192, 0, 2, 1));
  EXPECT_EQ(IpAddress::parse("0.0.0.0"), IpAddress::any(Family::ipv4));
  EXPECT_EQ(IpAddress::parse("255.255.255.255"), IpAddress::v4(0xffffffff));
}

TEST(IpAddress, RefusesWhatIsNoDottedQuad) {
  for (std::string_view text : {"",          ".",
                                "...",       "1",
                                "1.2.3",     "1.2.3.",
                                ".1.2.3",    "1..2.3",
                                "1.2.3.4.",  "1.2.3.4.5",
                                "256.0.0.1", "1.2.3.256",
                                "01.2.3.4",  "1.2.3.00",
                                "1.2.3.0x4", " 1.2.3.4",
                                "1.2.3.4 ",  "1.2.3.-4",
                                "1.2.3.+4",  "1.2.3.4/24",
                                "a.b.c.d",   "1.2.3.99999999999999999999"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
}

TEST(IpAddress, ReadsTheFormsOfRfc4291) {
  const IpAddress full =
      IpAddress::v6({0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 8, 8, 0, 0x20, 0x0c, 0x41, 0x7a});
  EXPECT_EQ(ip("2001:DB8:0:0:8:800:200C:417A"), full);
  EXPECT_EQ(ip("2001:db8::8:800:200c:417a"), full);
  EXPECT_EQ(ip("2001:0db8:0000:0000:0008:0800:200c:417a"), full);
  EXPECT_EQ(ip("::"), IpAddress());
  EXPECT_EQ(ip("::1"), ip("0:0:0:0:0:0:0:1"));
  EXPECT_EQ(ip("1::"), ip("1:0:0:0:0:0:0:0"));
  EXPECT_EQ(ip("1:2:3:4:5:6:7::"), ip("1:2:3:4:5:6:7:0"));
  EXPECT_EQ(ip("::2:3:4:5:6:7:8"), ip("0:2:3:4:5:6:7:8"));
  EXPECT_EQ(ip("::13.1.68.3"), ip("0:0:0:0:0:0:d01:4403"));
  EXPECT_EQ(ip("64:ff9b::192.0.2.33"), ip("64:ff9b::c000:221"));
  EXPECT_EQ(ip("1:2:3:4:5:6:1.2.3.4"), ip("1:2:3:4:5:6:102:304"));
}

TEST(IpAddress, TakesAMappedAddressForTheIpv4AddressItIs) {
  EXPECT_EQ(ip("::ffff:129.144.52.38"), IpAddress::v4(129, 144, 52, 38));
  EXPECT_EQ(ip("::ffff:c000:201").family(), Family::ipv4);
  EXPECT_EQ(to_string(ip("::ffff:c000:201")), "192.0.2.1");
}

TEST(IpAddress, RefusesWhatIsNoIpv6Address) {
  for (std::string_view text : {":",
                                ":::",
                                "1",
                                "1:2:3:4:5:6:7",
                                "1:2:3:4:5:6:7:8:9",
                                "1:2:3:4:5:6:7:",
                                ":1:2:3:4:5:6:7",
                                "1::2::3",
                                "1:::2",
                                "::1:",
                                ":1::",
                                "12345::",
                                "::g",
                                "1:2:3:4::5:6:7:8",
                                "1:2:3:4:5:6:7:8::",
                                "::1:2:3:4:5:6:7:8",
                                "::1.2.3",
                                "::1.2.3.4.5",
                                "::01.2.3.4",
                                "1.2.3.4::",
                                "::1.2.3.4:5",
                                "1:2:3:4:5:6:7:1.2.3.4",
                                "1:2:3:4:5:1.2.3.4",
                                "fe80::1%eth0",
                                "[::1]",
                                "::1/64",
                                " ::1",
                                "::1 ",
                                "::-1",
                                "::+1",
                                "::0x1",
                                "1:2:3:4:5:6:7:8:"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpAddress, IsWrittenInTheOneFormOfRfc5952) {
  EXPECT_EQ(to_string(ip("2001:0DB8:0:0:0:0:0:0001")), "2001:db8::1");
  EXPECT_EQ(to_string(ip("2001:db8:0:0:0:0:2:1")), "2001:db8::2:1");
  EXPECT_EQ(to_string(ip("2001:db8:0:1:1:1:1:1")), "2001:db8:0:1:1:1:1:1") << "§4.2.2";
  EXPECT_EQ(to_string(ip("2001:0:0:1:0:0:0:1")), "2001:0:0:1::1") << "§4.2.3, the longest";
  EXPECT_EQ(to_string(ip("2001:db8:0:0:1:0:0:1")), "2001:db8::1:0:0:1") << "§4.2.3, the first";
  EXPECT_EQ(to_string(ip("AAAA:BBBB:CCCC:DDDD:EEEE:FFFF:0ABC:1")),
            "aaaa:bbbb:cccc:dddd:eeee:ffff:abc:1");
  EXPECT_EQ(to_string(IpAddress()), "::");
  EXPECT_EQ(to_string(ip("::1")), "::1");
  EXPECT_EQ(to_string(ip("1::")), "1::");
  EXPECT_EQ(to_string(ip("0:2:3:4:5:6:0:0")), "0:2:3:4:5:6::");
  EXPECT_EQ(to_string(IpAddress::v4(10, 0, 200, 255)), "10.0.200.255");
}

TEST(IpAddress, ReadsBackWhatItWrites) {
  base::Prng prng(6);
  for (int i = 0; i < 20000; ++i) {
    std::array<std::uint8_t, 16> octets{};
    // Many zeros, so that runs of every length and place occur.
    for (std::uint8_t& octet : octets)
      if (prng.chance(0.3)) octet = static_cast<std::uint8_t>(prng.below(256));
    const IpAddress address =
        i % 4 == 0 ? IpAddress::v4(static_cast<std::uint32_t>(prng.next())) : IpAddress::v6(octets);
    ASSERT_EQ(IpAddress::parse(to_string(address)), address) << to_string(address);
  }
}

TEST(IpAddress, KnowsWhatKindItIs) {
  EXPECT_TRUE(ip("127.0.0.1").is_loopback());
  EXPECT_TRUE(ip("127.255.0.9").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_FALSE(ip("128.0.0.1").is_loopback());
  EXPECT_FALSE(ip("::2").is_loopback());
  EXPECT_FALSE(ip("::").is_loopback());

  EXPECT_TRUE(ip("224.0.0.1").is_multicast());
  EXPECT_TRUE(ip("239.255.255.255").is_multicast());
  EXPECT_TRUE(ip("ff02::1").is_multicast());
  EXPECT_FALSE(ip("223.255.255.255").is_multicast());
  EXPECT_FALSE(ip("240.0.0.1").is_multicast());
  EXPECT_FALSE(ip("fe02::1").is_multicast());

  EXPECT_TRUE(ip("169.254.7.7").is_link_local());
  EXPECT_TRUE(ip("fe80::1").is_link_local());
  EXPECT_TRUE(ip("febf::1").is_link_local());
  EXPECT_FALSE(ip("169.253.7.7").is_link_local());
  EXPECT_FALSE(ip("fec0::1").is_link_local());
}

// RFC 4007 §11.
TEST(IpAddress, ReadsTheZoneOfALinkLocalAddress) {
  const auto address = IpAddress::parse("fe80::1%3");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->zone(), 3);
  EXPECT_EQ(address->in_zone(0), *IpAddress::parse("fe80::1"));
  EXPECT_NE(*address, *IpAddress::parse("fe80::1"));
  EXPECT_NE(*address, *IpAddress::parse("fe80::1%4"));
  EXPECT_EQ(to_string(*address), "fe80::1%3");
  EXPECT_EQ(IpAddress::parse("ff02::1%65535")->zone(), 65535);
  EXPECT_EQ(to_string(*Endpoint::parse("[fe80::1%3]:80")), "[fe80::1%3]:80");
  EXPECT_EQ(to_string(*Cidr::parse("fe80::1%3/64")), "fe80::1%3/64");
  EXPECT_EQ(zone_of(InterfaceId{2}), 3);
  EXPECT_EQ(zone_of(InterfaceId{}), 0);
}

TEST(IpAddress, ReadsAZoneByItsNameIfSomebodyKnowsIt) {
  const auto zones = [](std::string_view name) -> std::optional<std::uint16_t> {
    if (name == "tun0") return 7;
    return std::nullopt;
  };
  EXPECT_EQ(IpAddress::parse("fe80::1%tun0", zones)->zone(), 7);
  EXPECT_EQ(IpAddress::parse("fe80::1%2", zones)->zone(), 2);
  EXPECT_EQ(Endpoint::parse("[fe80::1%tun0]:80", zones)->address.zone(), 7);
  EXPECT_EQ(Cidr::parse("fe80::1%tun0/64", zones)->address.zone(), 7);
  EXPECT_FALSE(IpAddress::parse("fe80::1%tun1", zones));
  EXPECT_FALSE(IpAddress::parse("fe80::1%tun0"));
}

TEST(IpAddress, RefusesAZoneThatIsNoneOrNotNeeded) {
  for (const char* text : {"fe80::1%", "fe80::1%0", "fe80::1%65536", "fe80::1%01", "fe80::1%-1",
                           "fe80::1%1%1", "2001:db8::1%1", "::1%1", "ff0e::1%1", "169.254.0.1%1",
                           "::ffff:169.254.0.1%1", "%1", "fe80::1 %1"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  EXPECT_FALSE(Endpoint::parse("fe80::1%1:80"));
  EXPECT_EQ(IpAddress::parse("2001:db8::1")->in_zone(4).zone(), 0);
  EXPECT_EQ(IpAddress::parse("ff05::1")->in_zone(4).zone(), 0);
  EXPECT_EQ(IpAddress::parse("ff01::1")->in_zone(4).zone(), 4);
}

TEST(Endpoint, ReadsAnAddressWithItsPort) {
  EXPECT_EQ(Endpoint::parse("192.0.2.1:80"), (Endpoint{IpAddress::v4(192, 0, 2, 1), 80}));
  EXPECT_EQ(Endpoint::parse("[2001:db8::1]:65535"), (Endpoint{ip("2001:db8::1"), 65535}));
  EXPECT_EQ(Endpoint::parse("[::ffff:1.2.3.4]:0"), (Endpoint{IpAddress::v4(1, 2, 3, 4), 0}));
}

TEST(Endpoint, RefusesWhatIsNoEndpoint) {
  for (std::string_view text : {"", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:080",
                                "1.2.3.4: 80", "1.2.3.4:-1", "[::1]", "[::1]:", "[::1]80", "::1:80",
                                "[1.2.3.4]:80", "[]:80", "[::1:80", "::1]:80", ":80", "[[::1]]:80"})
    EXPECT_FALSE(Endpoint::parse(text)) << text;
}

TEST(Endpoint, IsWrittenAsItIsRead) {
  for (std::string_view text : {"192.0.2.1:80", "[2001:db8::1]:443", "[::]:0", "0.0.0.0:65535"})
    EXPECT_EQ(to_string(Endpoint::parse(text).value()), text);
}

TEST(Cidr, ReadsAPrefixLengthOrTakesTheLongest) {
  EXPECT_EQ(Cidr::parse("10.0.0.1/24"), (Cidr{IpAddress::v4(10, 0, 0, 1), 24}));
  EXPECT_EQ(Cidr::parse("fd00::1/64"), (Cidr{ip("fd00::1"), 64}));
  EXPECT_EQ(Cidr::parse("0.0.0.0/0"), (Cidr{ip("0.0.0.0"), 0}));
  EXPECT_EQ(Cidr::parse("10.0.0.1"), (Cidr{IpAddress::v4(10, 0, 0, 1), 32}));
  EXPECT_EQ(Cidr::parse("fd00::1"), (Cidr{ip("fd00::1"), 128}));
  EXPECT_EQ(to_string(Cidr::parse("10.0.0.1/24").value()), "10.0.0.1/24");
  EXPECT_EQ(to_string(Cidr::parse("FD00::1").value()), "fd00::1/128");
}

TEST(Cidr, RefusesWhatIsNoPrefix) {
  for (std::string_view text :
       {"", "/", "/24", "10.0.0.1/", "10.0.0.1/33", "fd00::1/129", "10.0.0.1/024", "10.0.0.1/24/",
        "10.0.0.1/2x", "10.0.0/24", "::ffff:10.0.0.0/24", "10.0.0.1/-1", "10.0.0.1/255.0.0.0"})
    EXPECT_FALSE(Cidr::parse(text)) << text;
}

TEST(Cidr, ContainsTheAddressesOfItsPrefix) {
  const Cidr narrow = Cidr::parse("10.1.2.3/20").value();
  EXPECT_TRUE(narrow.contains(ip("10.1.0.0")));
  EXPECT_TRUE(narrow.contains(ip("10.1.15.255")));
  EXPECT_FALSE(narrow.contains(ip("10.1.16.0")));
  EXPECT_FALSE(narrow.contains(ip("10.0.15.0")));
  EXPECT_TRUE(Cidr::parse("fd00:0:0:8000::/49").value().contains(ip("fd00:0:0:ffff::1")));
  EXPECT_FALSE(Cidr::parse("fd00:0:0:8000::/49").value().contains(ip("fd00:0:0:7fff::1")));
  EXPECT_TRUE(Cidr::parse("10.0.0.1").value().contains(ip("10.0.0.1")));
  EXPECT_FALSE(Cidr::parse("10.0.0.1").value().contains(ip("10.0.0.2")));
}

TEST(Cidr, ContainsNothingOfTheOtherFamily) {
  EXPECT_TRUE(Cidr::parse("0.0.0.0/0").value().contains(ip("8.8.8.8")));
  EXPECT_FALSE(Cidr::parse("0.0.0.0/0").value().contains(ip("::")));
  EXPECT_TRUE(Cidr::parse("::/0").value().contains(ip("fe80::1")));
  EXPECT_FALSE(Cidr::parse("::/0").value().contains(ip("8.8.8.8")));
}

TEST(Cidr, KnowsItsDirectedBroadcast) {
  EXPECT_TRUE(Cidr::parse("10.1.2.3/24").value().is_broadcast(ip("10.1.2.255")));
  EXPECT_FALSE(Cidr::parse("10.1.2.3/24").value().is_broadcast(ip("10.1.3.255")));
  EXPECT_FALSE(Cidr::parse("10.1.2.3/24").value().is_broadcast(ip("10.1.2.254")));
  EXPECT_TRUE(Cidr::parse("10.1.2.1/30").value().is_broadcast(ip("10.1.2.3")));
  EXPECT_FALSE(Cidr::parse("10.1.2.2/31").value().is_broadcast(ip("10.1.2.3"))) << "RFC 3021";
  EXPECT_FALSE(Cidr::parse("10.1.2.3/32").value().is_broadcast(ip("10.1.2.3")));
  EXPECT_FALSE(Cidr::parse("fd00::/8").value().is_broadcast(ip("fdff::ffff")));
}

}  // namespace
}  // namespace estab
