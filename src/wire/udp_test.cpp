#include "wire/udp.h"

#include <gtest/gtest.h>

#include "base/byte_order.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/wire_test_support.h"

namespace estab::wire {
namespace {

// "odd" to port 53, as Linux 6 sent it.
const OctetVector kLinuxV4 =
    from_hex("4500001fd990400040114d290a0900010a090002bf260035000b59036f6464");

OctetVector emit(const UdpHeader& header, const OctetVector& payload) {
  OctetVector octets(kUdpHeaderLength);
  emit_udp(header, octets.data());
  octets.insert(octets.end(), payload.begin(), payload.end());
  return octets;
}

TEST(Udp, ReadsAndWritesADatagramOfLinux) {
  const auto packet = parse_ip(kLinuxV4);
  ASSERT_TRUE(packet.has_value());
  const IpHeader& ip = packet->header;
  const auto datagram = parse_udp(packet->payload, Family::ipv4);
  ASSERT_TRUE(datagram.has_value());
  EXPECT_EQ(datagram->source_port, 0xbf26);
  EXPECT_EQ(datagram->destination_port, 53);
  EXPECT_EQ(as_text(datagram->payload), "odd");
  EXPECT_TRUE(datagram->has_checksum);
  EXPECT_TRUE(verify_transport_checksum(ip.source, ip.destination, kProtocolUdp, datagram->octets));

  OctetVector header = emit({0xbf26, 53, 11, 0xdead}, {});
  const Octets pieces[] = {as_octets("o"), as_octets("dd")};
  finish_udp_checksum(header, ip.source, ip.destination, pieces);
  EXPECT_EQ(header, to_vector(packet->payload.first(kUdpHeaderLength)));
}

TEST(Udp, ReadsBackEveryDatagramItWrote) {
  Chance chance(30);
  for (int round = 0; round < 5000; ++round) {
    const Family family = chance.family();
    const OctetVector payload = chance.octets(chance.below(60));
    const UdpHeader header{chance.number16(), chance.number16(),
                           static_cast<std::uint16_t>(kUdpHeaderLength + payload.size()), 0};
    const IpAddress source = chance.address(family), destination = chance.address(family);
    OctetVector octets = emit(header, payload);
    const Octets pieces[] = {payload};
    finish_udp_checksum(MutableOctets(octets).first(8), source, destination, pieces);
    octets.resize(octets.size() + chance.below(5));  // padding behind the datagram
    const auto back = parse_udp(octets, family);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->source_port, header.source_port);
    EXPECT_EQ(back->destination_port, header.destination_port);
    EXPECT_EQ(to_vector(back->payload), payload);
    EXPECT_TRUE(verify_transport_checksum(source, destination, kProtocolUdp, back->octets));
  }
}

TEST(Udp, SendsAZeroChecksumAsAllOnes) {
  const IpAddress source = IpAddress::v4(0), destination = IpAddress::v4(0);
  OctetVector header = emit({0, 0, 10, 0}, {});
  // The pseudo-header adds 17 + 10, the header 10: the rest makes the sum 0xffff.
  const OctetVector payload = from_hex("ffda");
  const Octets pieces[] = {payload};
  EXPECT_EQ(udp_checksum(source, destination, header, pieces), 0xffff);
}

TEST(Udp, AllowsNoChecksumOverIpV4Only) {
  const OctetVector octets = emit({1, 2, 8, 0}, {});
  const auto datagram = parse_udp(octets, Family::ipv4);
  ASSERT_TRUE(datagram.has_value());
  EXPECT_FALSE(datagram->has_checksum);
  EXPECT_FALSE(parse_udp(octets, Family::ipv6).has_value());
}

TEST(Udp, RefusesLengthsThatDoNotFit) {
  for (const std::uint16_t length : {0, 7, 13, 65535})
    EXPECT_FALSE(parse_udp(emit({1, 2, length, 3}, OctetVector(4)), Family::ipv4).has_value());
  EXPECT_TRUE(parse_udp(emit({1, 2, 12, 3}, OctetVector(4)), Family::ipv4).has_value());
  const OctetVector octets = emit({1, 2, 8, 3}, {});
  for (std::size_t length = 0; length < 8; ++length)
    EXPECT_FALSE(parse_udp(truncated(octets, length), Family::ipv4).has_value());
}

}  // namespace
}  // namespace estab::wire
