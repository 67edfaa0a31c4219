#include "ip/icmp_rules.h"

#include <vector>

#include <gtest/gtest.h>

#include "ip/fragment_maker.h"

namespace estab::ip {
namespace {

constexpr InterfaceId kLink{0};

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

InterfaceTable interfaces() {
  InterfaceTable table;
  table.add({.name = "only"});
  EXPECT_TRUE(table.add_address(kLink, *Cidr::parse("10.0.0.1/24")));
  EXPECT_TRUE(table.add_address(kLink, *Cidr::parse("2001:db8::1/64")));
  return table;
}

/// A datagram to us, whole; the tests change what they are about.
struct Example {
  wire::IpPacket packet;
  std::vector<std::uint8_t> payload;

  explicit Example(Family family) {
    const bool v4 = family == Family::ipv4;
    packet.header.source = address(v4 ? "198.51.100.9" : "2001:db8:9::9");
    packet.header.destination = address(v4 ? "10.0.0.1" : "2001:db8::1");
    packet.header.protocol = wire::kProtocolUdp;
    payload.assign(8, 0);
    packet.payload = payload;
  }
  bool answered() const { return may_answer_with_error(packet, interfaces(), kLink); }
  bool echoed() const { return may_answer_echo(packet, interfaces(), kLink); }
};

const Family kFamilies[] = {Family::ipv4, Family::ipv6};

TEST(MayAnswerWithError, AnOrdinaryDatagram) {
  for (const Family family : kFamilies) EXPECT_TRUE(Example(family).answered());
}

// RFC 1122 §3.2.2, first rule; RFC 4443 §2.4 (e.1), (e.2).
// [RFC 1122 3.2.2-5]
TEST(MayAnswerWithError, NotAnIcmpErrorOrRedirect) {
  const auto answered = [](Family family, std::uint8_t type) {
    Example example(family);
    example.packet.header.protocol = wire::icmp_protocol(family);
    example.payload[0] = type;
    return example.answered();
  };
  for (const std::uint8_t type : {3, 4, 5, 11, 12}) {
    EXPECT_FALSE(answered(Family::ipv4, type)) << int{type};
  }
  for (const std::uint8_t type : {1, 2, 3, 4, 100, 127, 137}) {
    EXPECT_FALSE(answered(Family::ipv6, type)) << int{type};
  }
  EXPECT_TRUE(answered(Family::ipv4, 8));
  EXPECT_TRUE(answered(Family::ipv6, 128));
}

TEST(MayAnswerWithError, NotAnIcmpMessageWithoutAType) {
  for (const Family family : kFamilies) {
    Example example(family);
    example.packet.header.protocol = wire::icmp_protocol(family);
    example.packet.payload = {};
    EXPECT_FALSE(example.answered());
  }
}

// RFC 1122 §3.2.2, second rule; RFC 4443 §2.4 (e.3).
// [RFC 1122 3.2.2-5]
TEST(MayAnswerWithError, NotABroadcastOrMulticast) {
  for (const char* text : {"255.255.255.255", "10.0.0.255", "224.0.0.1", "ff02::1"}) {
    const IpAddress destination = address(text);
    Example example(destination.family());
    example.packet.header.destination = destination;
    EXPECT_FALSE(example.answered()) << text;
    EXPECT_FALSE(example.echoed()) << text;
  }
}

// RFC 1122 §3.2.2, fourth rule; RFC 1812 §4.3.2.7. RFC 4443 has none of the kind.
// [RFC 1122 3.2.2-5]
TEST(MayAnswerWithError, TheFirstFragmentOnlyInIpV4) {
  for (const Family family : kFamilies) {
    Example example(family);
    example.packet.fragment = wire::FragmentInfo{.offset = 0, .more = true};
    EXPECT_TRUE(example.answered());
    example.packet.fragment = wire::FragmentInfo{.offset = 8, .more = true};
    EXPECT_EQ(example.answered(), family == Family::ipv6);
    // The octet where the type would be means nothing there: it may be part of an error.
    example.packet.header.protocol = wire::icmp_protocol(family);
    example.payload[0] = wire::echo_request_type(family);
    EXPECT_FALSE(example.answered());
  }
}

// RFC 4443 §2.4 (e.3): an unrecognized option whose type says so.
TEST(MayAnswerWithError, AMulticastIfTheRuleSaysSo) {
  Example example(Family::ipv6);
  example.packet.header.destination = address("ff02::1");
  const auto answered = [&](wire::Telling telling) {
    return may_answer_with_error(example.packet, interfaces(), kLink, telling);
  };
  EXPECT_TRUE(answered(wire::Telling::sender_even_if_many));
  EXPECT_FALSE(answered(wire::Telling::sender));
  EXPECT_FALSE(answered(wire::Telling::nobody));
}

// RFC 1122 §3.2.2, fifth rule; RFC 4443 §2.4 (e.6).
// [RFC 1122 3.2.2-5]
TEST(MayAnswerWithError, OnlyASingleHost) {
  for (const char* text : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "10.0.0.255", "255.255.255.255",
                           "224.0.0.1", "240.0.0.1", "::", "::1", "ff02::1"}) {
    const IpAddress source = address(text);
    Example example(source.family());
    example.packet.header.source = source;
    EXPECT_FALSE(example.answered()) << text;
  }
}

TEST(MayAnswerEcho, AnyHostThatCouldBe) {
  for (const Family family : kFamilies) EXPECT_TRUE(Example(family).echoed());
  Example forged(Family::ipv4);
  forged.packet.header.source = address("10.0.0.255");
  EXPECT_FALSE(forged.echoed());
}

// RFC 9293 §3.9.2.2.
// [RFC 9293 MUST-55]
TEST(EffectOf, DropsSourceQuenchSilently) {
  EXPECT_EQ(effect_of(wire::IcmpError::Kind::source_quench).severity, Severity::none);
}

// [RFC 1122 3.2.2.4-1, 3.2.2.5-2]
TEST(EffectOf, IsSoftForWhatMayPass) {
  using Kind = wire::IcmpError::Kind;
  EXPECT_EQ(effect_of(Kind::net_unreachable),
            (IcmpEffect{Severity::soft, Error::network_unreachable}));
  for (const Kind kind : {Kind::host_unreachable, Kind::time_exceeded, Kind::parameter_problem,
                          Kind::administratively_prohibited, Kind::other}) {
    EXPECT_EQ(effect_of(kind), (IcmpEffect{Severity::soft, Error::host_unreachable}));
  }
}

TEST(EffectOf, IsHardForWhatTheHostItselfSays) {
  using Kind = wire::IcmpError::Kind;
  EXPECT_EQ(effect_of(Kind::protocol_unreachable),
            (IcmpEffect{Severity::hard, Error::protocol_unreachable}));
  EXPECT_EQ(effect_of(Kind::port_unreachable),
            (IcmpEffect{Severity::hard, Error::port_unreachable}));
  EXPECT_EQ(effect_of(Kind::packet_too_big).severity, Severity::path_mtu);
}

/// The MTU claimed by a "fragmentation needed" about a UDP datagram of ours of `length` octets.
std::uint32_t claimed(std::uint16_t length, std::uint32_t said, std::uint16_t estimate) {
  std::vector<std::uint8_t> quote(28);
  wire::emit_ip({.source = IpAddress::v4(10, 0, 0, 1),
                 .destination = IpAddress::v4(198, 51, 100, 9),
                 .protocol = wire::kProtocolUdp},
                length - 20u, quote.data());
  const wire::IcmpMessage message{wire::icmp_v4::kUnreachable, wire::icmp_v4::kFragmentationNeeded,
                                  said, quote};
  const auto error = wire::parse_icmp_error(message, Family::ipv4);
  EXPECT_TRUE(error);
  return claimed_mtu(message, *error, estimate);
}

TEST(ClaimedMtu, IsWhatTheRouterSays) {
  EXPECT_EQ(claimed(1500, 1400, 1500), 1400u);
}

// RFC 1191 §5.
// [RFC 1191 3-7, 5-2]
TEST(ClaimedMtu, IsThePlateauBelowTheQuotedLengthIfTheRouterSaysNothing) {
  EXPECT_EQ(claimed(1499, 0, 1500), 1492u);
  EXPECT_EQ(claimed(1500, 0, 1500), 1006u);
  EXPECT_EQ(claimed(1000, 0, 1500), 508u);
}

}  // namespace
}  // namespace estab::ip
