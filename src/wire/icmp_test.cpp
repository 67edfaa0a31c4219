#include "wire/icmp.h"

#include <gtest/gtest.h>

#include "wire/tcp.h"
#include "wire/wire_test_support.h"

namespace estab::wire {
namespace {

using Kind = IcmpError::Kind;

struct Ends {
  IpAddress ours, theirs;
};

Ends ends(Family family) {
  Chance chance(40);
  return {chance.address(family), chance.address(family)};
}

OctetVector tcp_datagram(Family family, std::size_t payload_length) {
  Segment segment;
  segment.source_port = 40000;
  segment.destination_port = 80;
  segment.seq = SeqNum(0xdeadbeef);
  OctetVector transport(kTcpHeaderLength);
  emit_tcp(segment, transport.data());
  transport.resize(transport.size() + payload_length, 0x77);
  const Ends e = ends(family);
  return datagram({.source = e.ours, .destination = e.theirs, .protocol = kProtocolTcp}, transport);
}

// An ICMP message as it comes in a datagram from the other end.
OctetVector received(const IcmpMessage& message, Family family) {
  OctetVector octets(kIcmpHeaderLength + message.body.size());
  const Ends e = ends(family);
  emit_icmp(message, e.theirs, e.ours, octets.data());
  return datagram({.source = e.theirs, .destination = e.ours, .protocol = icmp_protocol(family)},
                  octets);
}

// Echo requests as Linux 6 sent them.
const OctetVector kLinuxEchoV4 = from_hex(
    "4500002025574000400101720a0900010a090002"
    "0800d46c5ecb000161626364");
const OctetVector kLinuxEchoV6 = from_hex(
    "60078f97000c3a40fd000009000000000000000000000001fd000009000000000000000000000002"
    "8000620e5ecc000161626364");

TEST(Icmp, ReadsAndWritesEchoRequestsOfLinux) {
  for (const OctetVector& frame : {kLinuxEchoV4, kLinuxEchoV6}) {
    const auto packet = parse_ip(frame);
    ASSERT_TRUE(packet.has_value());
    const IpHeader& ip = packet->header;
    const auto message = parse_icmp(*packet);
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(message->type, echo_request_type(ip.family()));
    EXPECT_EQ(message->rest & 0xffff, 1U);
    EXPECT_EQ(as_text(message->body), "abcd");
    OctetVector octets(packet->payload.size());
    EXPECT_EQ(emit_icmp(*message, ip.source, ip.destination, octets.data()), octets.size());
    EXPECT_EQ(octets, to_vector(packet->payload));
  }
}

TEST(Icmp, ReadsBackEveryMessageItWrote) {
  Chance chance(41);
  for (int round = 0; round < 5000; ++round) {
    const Family family = chance.family();
    const OctetVector body = chance.octets(chance.below(100));
    const IcmpMessage message{chance.octet(), chance.octet(), chance.number32(), body};
    OctetVector frame = received(message, family);
    const auto back = parse_icmp(*parse_ip(frame));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->type, message.type);
    EXPECT_EQ(back->code, message.code);
    EXPECT_EQ(back->rest, message.rest);
    EXPECT_EQ(to_vector(back->body), body);
    frame.back() ^= 1;
    const auto broken = parse_icmp(*parse_ip(frame));
    ASSERT_FALSE(broken.has_value());
    EXPECT_EQ(broken.error(), Verdict::bad_checksum);
  }
}

TEST(Icmp, RefusesLessThanAHeader) {
  const Ends e = ends(Family::ipv4);
  const IpHeader header{.source = e.theirs, .destination = e.ours, .protocol = kProtocolIcmp};
  const OctetVector frame = datagram(header, from_hex("0800 f7ff 000000"));
  EXPECT_EQ(parse_icmp(*parse_ip(frame)).error(), Verdict::malformed);
}

TEST(Icmp, CoversThePseudoHeaderInIpV6Only) {
  const Ends v6 = ends(Family::ipv6), v4 = ends(Family::ipv4);
  std::uint8_t a[8], b[8];
  emit_icmp({128, 0, 1, {}}, v6.ours, v6.theirs, a);
  emit_icmp({128, 0, 1, {}}, v6.ours, IpAddress(), b);
  EXPECT_NE(to_vector(a), to_vector(b));
  emit_icmp({8, 0, 1, {}}, v4.ours, v4.theirs, a);
  emit_icmp({8, 0, 1, {}}, v4.ours, IpAddress::v4(0), b);
  EXPECT_EQ(to_vector(a), to_vector(b));
}

// [RFC 1122 3.4-7]
TEST(IcmpError, NamesTheConnectionItIsAbout) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const OctetVector offending = tcp_datagram(family, 100);
    const OctetVector frame =
        received(make_icmp_error(family, Kind::packet_too_big, 1280, offending), family);
    const auto message = parse_icmp(*parse_ip(frame));
    ASSERT_TRUE(message.has_value());
    const auto error = parse_icmp_error(*message, family);
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->kind, Kind::packet_too_big);
    EXPECT_EQ(error->mtu, 1280U);
    EXPECT_EQ(error->seq, SeqNum(0xdeadbeef));
    const Ends e = ends(family);
    EXPECT_EQ(error->tuple(), (FourTuple{e.ours, e.theirs, 40000, 80}));
  }
}

TEST(IcmpError, NeedsEightQuotedOctetsOfTransport) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const OctetVector offending = tcp_datagram(family, 100);
    for (std::size_t length = 0; length < 80; ++length) {
      const OctetVector quote = truncated(offending, length);
      const auto error =
          parse_icmp_error(make_icmp_error(family, Kind::port_unreachable, 0, quote), family);
      EXPECT_EQ(error.has_value(), length >= ip_header_length(family) + 8) << length;
    }
  }
}

TEST(IcmpError, ReadsTheKindItWrote) {
  constexpr Kind kKinds[] = {Kind::net_unreachable,
                             Kind::host_unreachable,
                             Kind::port_unreachable,
                             Kind::packet_too_big,
                             Kind::time_exceeded,
                             Kind::parameter_problem,
                             Kind::administratively_prohibited};
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (const Kind kind : kKinds) {
      const OctetVector offending = tcp_datagram(family, 0);
      const IcmpMessage message = make_icmp_error(family, kind, 0, offending);
      EXPECT_TRUE(is_icmp_error(family, message.type));
      EXPECT_EQ(parse_icmp_error(message, family)->kind, kind) << static_cast<int>(kind);
    }
}

TEST(IcmpError, SortsTheCodesOfUnreachable) {
  const OctetVector v4 = tcp_datagram(Family::ipv4, 0), v6 = tcp_datagram(Family::ipv6, 0);
  const auto kind_v4 = [&](std::uint8_t code) {
    return parse_icmp_error({icmp_v4::kUnreachable, code, 0, v4}, Family::ipv4)->kind;
  };
  const auto kind_v6 = [&](std::uint8_t code) {
    return parse_icmp_error({icmp_v6::kUnreachable, code, 0, v6}, Family::ipv6)->kind;
  };
  EXPECT_EQ(kind_v4(icmp_v4::kNet), Kind::net_unreachable);
  EXPECT_EQ(kind_v4(icmp_v4::kHost), Kind::host_unreachable);
  EXPECT_EQ(kind_v4(icmp_v4::kProtocol), Kind::protocol_unreachable);
  EXPECT_EQ(kind_v4(icmp_v4::kPort), Kind::port_unreachable);
  EXPECT_EQ(kind_v4(icmp_v4::kFragmentationNeeded), Kind::packet_too_big);
  EXPECT_EQ(kind_v4(icmp_v4::kSourceRouteFailed), Kind::host_unreachable);
  EXPECT_EQ(kind_v4(13), Kind::administratively_prohibited);
  EXPECT_EQ(kind_v4(16), Kind::host_unreachable);
  EXPECT_EQ(kind_v6(icmp_v6::kNoRoute), Kind::net_unreachable);
  EXPECT_EQ(kind_v6(icmp_v6::kProhibited), Kind::administratively_prohibited);
  EXPECT_EQ(kind_v6(icmp_v6::kAddress), Kind::host_unreachable);
  EXPECT_EQ(kind_v6(icmp_v6::kPort), Kind::port_unreachable);
  EXPECT_EQ(kind_v6(7), Kind::host_unreachable);
}

TEST(IcmpError, KnowsSourceQuenchSoThatTcpCanDropIt) {
  const OctetVector quote = tcp_datagram(Family::ipv4, 0);
  EXPECT_EQ(parse_icmp_error({icmp_v4::kSourceQuench, 0, 0, quote}, Family::ipv4)->kind,
            Kind::source_quench);
}

TEST(IcmpError, IsNotAnEchoOrARedirect) {
  const OctetVector v4 = tcp_datagram(Family::ipv4, 0), v6 = tcp_datagram(Family::ipv6, 0);
  for (const std::uint8_t type : {icmp_v4::kEchoReply, icmp_v4::kEchoRequest, icmp_v4::kRedirect})
    EXPECT_FALSE(parse_icmp_error({type, 0, 0, v4}, Family::ipv4).has_value());
  for (const std::uint8_t type : {icmp_v6::kEchoReply, icmp_v6::kEchoRequest})
    EXPECT_FALSE(parse_icmp_error({type, 0, 0, v6}, Family::ipv6).has_value());
  EXPECT_TRUE(is_icmp_error(Family::ipv4, icmp_v4::kRedirect));
  EXPECT_FALSE(is_icmp_error(Family::ipv6, icmp_v6::kEchoReply));
}

TEST(IcmpError, MtuOfAnIpV4RouterIsSixteenBits) {
  const OctetVector quote = tcp_datagram(Family::ipv4, 0);
  const auto error = parse_icmp_error(
      {icmp_v4::kUnreachable, icmp_v4::kFragmentationNeeded, 0xffff05dc, quote}, Family::ipv4);
  EXPECT_EQ(error->mtu, 1500U);
}

TEST(IcmpError, UnknownProtocolIsAParameterProblemInIpV6) {
  const IcmpMessage message = make_icmp_error(Family::ipv6, Kind::protocol_unreachable, 6, {});
  EXPECT_EQ(message.type, icmp_v6::kParameterProblem);
  EXPECT_EQ(message.code, icmp_v6::kUnknownNextHeader);
  EXPECT_EQ(message.rest, 6U);
}

// [RFC 1122 3.2.2-2]
TEST(IcmpError, QuotesAsMuchAsItsFamilyAllows) {
  std::uint8_t out[kMaxIcmpErrorV6];
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const Ends e = ends(family);
    const std::size_t most = family == Family::ipv4 ? 576 - 20 : 1280 - 40;
    const OctetVector large = tcp_datagram(family, 3000), small = tcp_datagram(family, 10);
    EXPECT_EQ(emit_icmp_error(make_icmp_error(family, Kind::port_unreachable, 0, large), e.ours,
                              e.theirs, out),
              most);
    EXPECT_EQ(to_vector(Octets(out).subspan(8, most - 8)), truncated(large, most - 8));
    EXPECT_EQ(emit_icmp_error(make_icmp_error(family, Kind::port_unreachable, 0, small), e.ours,
                              e.theirs, out),
              8 + small.size());
  }
}

TEST(IcmpError, SurvivesAnyMutationOfTheQuote) {
  Chance chance(42);
  std::size_t readable = 0;
  for (int round = 0; round < 100000; ++round) {
    const Family family = chance.family();
    OctetVector quote = tcp_datagram(family, 4);
    chance.mutate(quote);
    const OctetVector exact = truncated(quote, quote.size());
    if (parse_icmp_error(make_icmp_error(family, Kind::time_exceeded, 0, exact), family))
      ++readable;
  }
  EXPECT_GT(readable, 10000U);
}

}  // namespace
}  // namespace estab::wire
