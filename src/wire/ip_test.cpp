#include "wire/ip.h"

#include <gtest/gtest.h>

#include "base/byte_order.h"
#include "wire/checksum.h"
#include "wire/wire_test_support.h"

namespace estab::wire {
namespace {

const IpAddress kHere = IpAddress::v4(192, 0, 2, 1), kThere = IpAddress::v4(198, 51, 100, 7);
const OctetVector kPayload = from_hex("01 02 03 04 05");

IpHeader v6_header() {
  Chance chance(20);
  return chance.ip_header(Family::ipv6, kProtocolTcp);
}

// An IPv6 datagram whose payload begins with the extension headers given.
OctetVector v6_datagram(std::uint8_t next_header, std::string_view hex) {
  IpHeader header = v6_header();
  header.protocol = next_header;
  return datagram(header, from_hex(hex));
}

Verdict refusal(const OctetVector& frame) {
  const auto packet = parse_ip(frame);
  return packet ? Verdict::accepted : packet.error();
}

void fix_v4_checksum(OctetVector& frame) {
  base::store_be16(frame.data() + 10, 0);
  base::store_be16(frame.data() + 10, checksum(Octets(frame).first((frame[0] & 15U) * 4)));
}

TEST(Ip, ReadsTheHeaderOfAnIpV4Datagram) {
  OctetVector frame = from_hex("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7");
  frame.resize(0x73, 7);
  const auto packet = parse_ip(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->header.source, IpAddress::v4(192, 168, 0, 1));
  EXPECT_EQ(packet->header.destination, IpAddress::v4(192, 168, 0, 199));
  EXPECT_EQ(packet->header.protocol, kProtocolUdp);
  EXPECT_EQ(packet->header.ttl, 64);
  EXPECT_TRUE(packet->header.dont_fragment);
  EXPECT_FALSE(packet->fragment.has_value());
  EXPECT_EQ(packet->payload.size(), 0x73U - 20);
  EXPECT_EQ(packet->octets().size(), 0x73U);
}

TEST(Ip, WritesTheSameOctetsAsItReadsAndWithTheirChecksum) {
  IpHeader header;
  header.source = IpAddress::v4(192, 168, 0, 1);
  header.destination = IpAddress::v4(192, 168, 0, 199);
  header.protocol = kProtocolUdp;
  std::uint8_t out[20];
  EXPECT_EQ(emit_ip(header, 0x73 - 20, out), 20U);
  EXPECT_EQ(to_vector(out), from_hex("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7"));
}

TEST(Ip, ReadsAUdpDatagramOverIpV6) {
  const OctetVector frame = from_hex(
      "600ef3e0000b1140fd000009000000000000000000000001fd000009000000000000000000000002"
      "9a980035000b978f6f6464");
  const auto packet = parse_ip(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->header.protocol, kProtocolUdp);
  EXPECT_EQ(packet->header.flow_label, 0xef3e0U);
  EXPECT_EQ(packet->header.ttl, 64);
  EXPECT_EQ(packet->payload.size(), 11U);
}

TEST(Ip, ReadsBackEveryHeaderItWrote) {
  Chance chance(21);
  for (int round = 0; round < 20000; ++round) {
    const IpHeader header = chance.ip_header(chance.family(), kProtocolTcp);
    const OctetVector payload = chance.octets(chance.below(40));
    const OctetVector options =
        header.family() == Family::ipv4 ? chance.octets(chance.below(41)) : OctetVector();
    OctetVector frame = datagram(header, payload, options);
    const std::size_t padding = chance.below(8);
    frame.resize(frame.size() + padding, 0xee);
    const auto packet = parse_ip(frame);
    ASSERT_TRUE(packet.has_value());
    EXPECT_EQ(packet->header, header);
    EXPECT_EQ(to_vector(packet->payload), payload);
    EXPECT_EQ(to_vector(packet->options.first(options.size())), options);
    EXPECT_EQ(packet->octets().size(), frame.size() - padding);
    EXPECT_EQ(packet->ecn(), header.traffic_class & 3);
  }
}

TEST(Ip, RefusesIpV4LengthsThatDoNotFit) {
  const IpHeader header{.source = kHere, .destination = kThere};
  const OctetVector good = datagram(header, kPayload);
  ASSERT_EQ(refusal(good), Verdict::accepted);
  for (const std::uint16_t total : {0, 19, 26, 65535}) {
    OctetVector frame = good;
    base::store_be16(frame.data() + 2, total);
    fix_v4_checksum(frame);
    EXPECT_EQ(refusal(frame), Verdict::malformed) << total;
  }
  for (const std::uint8_t length : {0, 4, 7, 15}) {
    OctetVector frame = good;
    frame[0] = 0x40 | length;
    EXPECT_EQ(refusal(frame), Verdict::malformed) << int{length};
  }
}

// [RFC 1122 3.2.1.1-1]
TEST(Ip, RefusesOtherVersions) {
  OctetVector frame = datagram({.source = kHere, .destination = kThere}, kPayload);
  for (int version = 0; version < 16; ++version) {
    frame[0] = static_cast<std::uint8_t>(version << 4 | 5);
    if (version == 4) continue;
    EXPECT_EQ(refusal(frame), Verdict::malformed);
  }
  EXPECT_EQ(refusal({}), Verdict::malformed);
}

// [RFC 1122 3.2.1.2-1]
TEST(Ip, RefusesAWrongHeaderChecksum) {
  OctetVector frame = datagram({.source = kHere, .destination = kThere}, kPayload);
  frame[8] ^= 1;
  EXPECT_EQ(refusal(frame), Verdict::bad_checksum);
}

TEST(Ip, ReportsIpV4Fragments) {
  OctetVector frame = datagram({.source = kHere, .destination = kThere, .identification = 77}, {});
  base::store_be16(frame.data() + 6, 0x2000 | 185);
  fix_v4_checksum(frame);
  const auto packet = parse_ip(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->fragment, (FragmentInfo{77, 185 * 8, true}));
  EXPECT_FALSE(packet->header.dont_fragment);
  base::store_be16(frame.data() + 6, 1);
  fix_v4_checksum(frame);
  EXPECT_EQ(parse_ip(frame)->fragment, (FragmentInfo{77, 8, false}));
}

TEST(Ip, CutsTheFlowLabelToTwentyBits) {
  IpHeader header = v6_header();
  header.flow_label = 0xfff12345;
  EXPECT_EQ(parse_ip(datagram(header, {}))->header.flow_label, 0x12345U);
}

TEST(Ip, RefusesV4MappedAddressesInIpV6) {
  for (const std::size_t at : {8U, 24U}) {
    OctetVector frame = datagram(v6_header(), kPayload);
    const auto mapped = kHere.octets();
    std::copy(mapped.begin(), mapped.end(), frame.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_EQ(refusal(frame), Verdict::bad_address);
  }
}

TEST(Ip, WalksExtensionHeadersInTheirOrder) {
  const OctetVector frame = v6_datagram(kProtocolHopByHop,
                                        "2b00 0502 0000 0100"  // hop-by-hop: router alert, PadN
                                        "3c00 0000 00000000"   // routing, no segments left
                                        "0601 0104 00000000 1e06 000000000000"  // destination opts
                                        "aabbcc");
  const auto packet = parse_ip(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->header.protocol, kProtocolTcp);
  EXPECT_EQ(packet->options.size(), 32U);
  EXPECT_EQ(to_vector(packet->payload), from_hex("aabbcc"));
  EXPECT_EQ(packet->header_octets.size(), 72U);
}

TEST(Ip, LeavesAnUnknownExtensionHeaderAsProtocol) {
  for (const std::uint8_t unknown : {std::uint8_t{50}, std::uint8_t{139}, kProtocolNoNext})
    EXPECT_EQ(parse_ip(v6_datagram(unknown, "3b00 0000"))->header.protocol, unknown);
}

TEST(Ip, RefusesHopByHopAnywhereButFirst) {
  EXPECT_EQ(refusal(v6_datagram(kProtocolDestinationOptions, "0000010400000000 3b00010400000000")),
            Verdict::malformed);
}

TEST(Ip, RefusesARoutingHeaderWithSegmentsLeft) {
  EXPECT_EQ(refusal(v6_datagram(kProtocolRouting, "3b00000000000000")), Verdict::accepted);
  EXPECT_EQ(refusal(v6_datagram(kProtocolRouting, "3b00000100000000")), Verdict::malformed);
}

TEST(Ip, ObeysTheActionBitsOfUnknownIpV6Options) {
  EXPECT_EQ(refusal(v6_datagram(kProtocolDestinationOptions, "3b00 1e04 00000000")),
            Verdict::accepted);
  for (const std::string_view options :
       {"3b00 5e04 00000000", "3b00 9e04 00000000", "3b00 de04 00000000"})
    EXPECT_EQ(refusal(v6_datagram(kProtocolDestinationOptions, options)), Verdict::malformed);
}

TEST(Ip, RefusesAJumbogram) {
  OctetVector frame = v6_datagram(kProtocolHopByHop, "3b00 c204 00010000");
  EXPECT_EQ(refusal(frame), Verdict::malformed);
  base::store_be16(frame.data() + 4, 0);
  EXPECT_EQ(refusal(frame), Verdict::malformed);
}

TEST(Ip, RefusesExtensionHeadersThatReachBeyondTheDatagram) {
  for (const std::string_view chain :
       {"", "3b00 0104 0000", "3b01 0104 00000000", "3bff 0104 00000000", "3b00 0105 00000000",
        "3b00 00000000 0001"})
    for (const std::uint8_t kind : {kProtocolHopByHop, kProtocolDestinationOptions})
      EXPECT_EQ(refusal(v6_datagram(kind, chain)), Verdict::malformed) << chain;
}

TEST(Ip, EndsTheWalkAtEightExtensionHeaders) {
  std::string chain;
  for (int i = 1; i < kMaxExtensionHeaders; ++i) chain += "3c00010400000000";
  const std::string last = "3b00010400000000";
  EXPECT_EQ(refusal(v6_datagram(kProtocolDestinationOptions, chain + last)), Verdict::accepted);
  EXPECT_EQ(refusal(v6_datagram(kProtocolDestinationOptions, chain + "3c00010400000000" + last)),
            Verdict::malformed);
}

TEST(Ip, StopsBehindTheFragmentHeaderOfADatagramInPieces) {
  const OctetVector frame = v6_datagram(kProtocolFragment, "3c00 0001 0000abcd 1122");
  const auto packet = parse_ip(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->fragment, (FragmentInfo{0xabcd, 0, true}));
  EXPECT_EQ(packet->header.protocol, kProtocolDestinationOptions);
  EXPECT_EQ(to_vector(packet->payload), from_hex("1122"));
  const auto later = parse_ip(v6_datagram(kProtocolFragment, "0600 0bbe 0000abcd 1122"));
  EXPECT_EQ(later->fragment, (FragmentInfo{0xabcd, 0xbb8, false}));
}

TEST(Ip, TakesAnAtomicFragmentAsWhole) {
  const OctetVector frame =
      v6_datagram(kProtocolFragment, "3c00 0000 0000abcd 0600 0104 00000000 1122");
  const auto packet = parse_ip(frame);
  ASSERT_TRUE(packet.has_value());
  EXPECT_FALSE(packet->fragment.has_value());
  EXPECT_EQ(packet->header.protocol, kProtocolTcp);
  EXPECT_EQ(to_vector(packet->payload), from_hex("1122"));
}

TEST(Ip, ReadsQuotesThatAreCutOff) {
  IpHeader header{.source = kHere, .destination = kThere, .protocol = kProtocolTcp};
  OctetVector quote = datagram(header, OctetVector(1000));
  quote[8] = 1;  // as a router leaves it, with the checksum of before
  quote.resize(28);
  const auto quoted = parse_quoted_ip(quote, Family::ipv4);
  ASSERT_TRUE(quoted.has_value());
  header.ttl = 1;
  EXPECT_EQ(quoted->header, header);
  EXPECT_EQ(quoted->transport.size(), 8U);
  EXPECT_FALSE(parse_quoted_ip(quote, Family::ipv6).has_value());
  EXPECT_FALSE(parse_quoted_ip(Octets(quote).first(19), Family::ipv4).has_value());
  quote[7] = 1;  // a later fragment
  EXPECT_FALSE(parse_quoted_ip(quote, Family::ipv4).has_value());
}

TEST(Ip, SurvivesEveryTruncation) {
  Chance chance(22);
  for (int round = 0; round < 200; ++round) {
    const IpHeader header = chance.ip_header(chance.family(), kProtocolTcp);
    const OctetVector frame = datagram(header, chance.octets(30));
    for (std::size_t length = 0; length < frame.size(); ++length) {
      EXPECT_EQ(refusal(truncated(frame, length)), Verdict::malformed);
      parse_quoted_ip(truncated(frame, length), header.family());
    }
  }
}

TEST(Ip, SurvivesAnyMutation) {
  Chance chance(23);
  const OctetVector chain =
      from_hex("3c00 0502 0000 0100 2b00 0104 00000000 2c00 0000 00000000 0600 0000 0000abcd 0102");
  std::size_t readable = 0;
  for (int round = 0; round < 100000; ++round) {
    IpHeader header = chance.ip_header(chance.family(), kProtocolTcp);
    if (header.family() == Family::ipv6) header.protocol = kProtocolHopByHop;
    OctetVector frame = datagram(header, chain, header.family() == Family::ipv4 ? chain : Octets());
    chance.mutate(frame);
    if (frame[0] >> 4 == 4 && frame.size() >= 60 && chance.coin()) fix_v4_checksum(frame);
    const OctetVector exact = truncated(frame, frame.size());
    const auto packet = parse_ip(exact);
    parse_quoted_ip(exact, header.family());
    if (!packet) continue;
    ++readable;
    ASSERT_LE(packet->octets().size(), exact.size());
    ASSERT_EQ(packet->payload.data(), packet->header_octets.data() + packet->header_octets.size());
    return_route(packet->options, packet->header.source);
  }
  EXPECT_GT(readable, 10000U);
}

// [RFC 1122 3.2.1.8-8]
TEST(SourceRoute, PutsTheFirstHopIntoTheHeaderAndTheRestIntoTheOption) {
  const IpAddress route[] = {IpAddress::v4(10, 0, 0, 1), IpAddress::v4(10, 0, 0, 2)};
  std::uint8_t out[40];
  IpAddress first_hop;
  ASSERT_EQ(emit_source_route(route, kThere, out, first_hop), 12U);
  EXPECT_EQ(first_hop, route[0]);
  EXPECT_EQ(to_vector(Octets(out, 12)), from_hex("83 0b 04 0a000002 c6336407 00"));
}

TEST(SourceRoute, HoldsAtMostNineHops) {
  const std::vector<IpAddress> route(kMaxSourceRoute + 1, kHere);
  std::uint8_t out[40];
  IpAddress first_hop;
  EXPECT_EQ(emit_source_route(std::span(route).first(9), kThere, out, first_hop), 40U);
  EXPECT_EQ(emit_source_route(route, kThere, out, first_hop), 0U);
  EXPECT_EQ(first_hop, kThere);
  EXPECT_EQ(emit_source_route({}, kThere, out, first_hop), 0U);
  const IpAddress v6[] = {v6_header().source};
  EXPECT_EQ(emit_source_route(v6, kThere, out, first_hop), 0U);
}

TEST(SourceRoute, LeadsBackOverTheRecordedHopsInReverse) {
  const OctetVector options = from_hex("01 83 0b 0c 0a000001 0a000002");
  const auto route = return_route(options, kHere);
  ASSERT_TRUE(route.has_value());
  EXPECT_EQ(*route,
            (std::vector<IpAddress>{IpAddress::v4(10, 0, 0, 2), IpAddress::v4(10, 0, 0, 1)}));
}

// [RFC 1122 3.2.1.8-7]
TEST(SourceRoute, LeavesOutTheSourceWhereItWasRecordedAsAHop) {
  const OctetVector options = from_hex("89 0b 0c c0000201 0a000002");
  EXPECT_EQ(*return_route(options, kHere), (std::vector<IpAddress>{IpAddress::v4(10, 0, 0, 2)}));
  EXPECT_FALSE(return_route(from_hex("83 07 08 c0000201"), kHere).has_value());
}

TEST(SourceRoute, IsNoneUnlessCompletedAndSound) {
  EXPECT_FALSE(return_route({}, kHere).has_value());
  EXPECT_FALSE(return_route(from_hex("83 0b 08 0a000001 0a000002"), kHere).has_value());
  EXPECT_FALSE(return_route(from_hex("83 0a 0c 0a000001 0a0000"), kHere).has_value());
  EXPECT_FALSE(return_route(from_hex("83 03 04"), kHere).has_value());
  EXPECT_FALSE(return_route(from_hex("00 83 07 08 0a000001"), kHere).has_value());
  EXPECT_FALSE(return_route(from_hex("44 00 83 07 08 0a000001"), kHere).has_value());
  EXPECT_FALSE(return_route(from_hex("83 07 08 e0000001"), kHere).has_value());
  EXPECT_FALSE(return_route(from_hex("83 07 08 7f000001"), kHere).has_value());
}

}  // namespace
}  // namespace estab::wire
