// IPv6 extension headers that are not understood, and what their sender is told (RFC 8200 §4, §4.2,
// §4.4, §4.5; RFC 4443 §3.4). The pointer counts from the first octet of the IPv6 header.

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

struct Problem {
  std::uint8_t code;
  std::uint32_t pointer;
  friend bool operator==(const Problem&, const Problem&) = default;
};
std::ostream& operator<<(std::ostream& out, const Problem& problem) {
  return out << "code " << int{problem.code} << ", pointer " << problem.pointer;
}

class ExtensionHeaders : public testing::Test {
 protected:
  /// A datagram to `to` with these extension headers, the last of which says what follows.
  OctetVector with_chain(std::uint8_t first, const OctetVector& chain, const IpAddress& to) {
    OctetVector body = chain;
    const OctetVector udp_octets = udp({peer.remote(), 1}, {to, 2}, OctetVector(8));
    body.insert(body.end(), udp_octets.begin() + wire::kIpV6HeaderLength, udp_octets.end());
    wire::IpHeader header{.source = peer.remote(), .destination = to};
    header.protocol = first;
    return datagram(header, body);
  }
  /// What the stack says of a datagram; nothing if it is silent.
  std::optional<Problem> told(const OctetVector& octets) {
    peer.in_octets(octets);
    const auto sent = peer.next();
    if (!sent) return std::nullopt;
    const auto message = wire::parse_icmp(*wire::parse_ip(sent->octets));
    EXPECT_TRUE(message.has_value());
    if (!message || message->type != wire::icmp_v6::kParameterProblem) return std::nullopt;
    EXPECT_EQ(sent->ip.source, peer.local());
    EXPECT_EQ(sent->ip.destination, peer.remote());
    EXPECT_EQ(OctetVector(message->body.begin(), message->body.end()), octets);
    return Problem{message->code, message->rest};
  }
  std::optional<Problem> told_of(std::uint8_t first, const OctetVector& chain) {
    return told(with_chain(first, chain, peer.local()));
  }

  Peer peer{TcpConfig{}, Family::ipv6};
};

constexpr std::uint8_t kUdp = wire::kProtocolUdp, kHopByHop = wire::kProtocolHopByHop,
                       kRouting = wire::kProtocolRouting,
                       kDestination = wire::kProtocolDestinationOptions;

TEST_F(ExtensionHeaders, AnUnknownOptionIsTreatedAsItsTypeSays) {
  for (const std::uint8_t header : {kHopByHop, kDestination}) {
    const auto option = [&](std::uint8_t type) {
      return told_of(header, {kUdp, 0, type, 4, 0, 0, 0, 0});
    };
    EXPECT_EQ(option(0x5e), std::nullopt);  // 01: discard
    EXPECT_EQ(option(0x9e), (Problem{2, 42}));
    EXPECT_EQ(option(0xde), (Problem{2, 42}));
  }
  EXPECT_EQ(peer.stack().counters().of(Verdict::malformed), 6u);
  // 00: passed over, so that nobody is found to listen.
  EXPECT_EQ(peer.in_octets(with_chain(kDestination, {kUdp, 0, 0x1e, 4, 0, 0, 0, 0}, peer.local())),
            Verdict::port_unreachable);
}

TEST_F(ExtensionHeaders, ThePointerFindsTheOptionWhereverItStands) {
  EXPECT_EQ(told_of(kDestination, {kUdp, 1, 0, 1, 2, 0, 0, 0x1e, 1, 9, 0x9e, 2, 0, 0, 1, 0}),
            (Problem{2, 50}));
  EXPECT_EQ(told_of(kHopByHop, {kDestination, 0, 1, 4, 0, 0, 0, 0,  //
                                kUdp, 0, 0xde, 4, 0, 0, 0, 0}),
            (Problem{2, 50}));
}

// RFC 4443 §2.4 (e.3): "10" is told even if the datagram went to many, "11" is not.
TEST_F(ExtensionHeaders, AnUnknownOptionToAGroupIsToldOnlyIfItsTypeSaysSo) {
  const IpAddress group = *IpAddress::parse("ff02::1");
  EXPECT_EQ(told(with_chain(kDestination, {kUdp, 0, 0x9e, 4, 0, 0, 0, 0}, group)),
            (Problem{2, 42}));
  EXPECT_EQ(told(with_chain(kDestination, {kUdp, 0, 0xde, 4, 0, 0, 0, 0}, group)), std::nullopt);
}

TEST_F(ExtensionHeaders, OfADatagramForAnotherHostOrFromNobodyAreNotJudged) {
  const OctetVector chain = {kUdp, 0, 0x9e, 4, 0, 0, 0, 0};
  EXPECT_EQ(told(with_chain(kDestination, chain, *IpAddress::parse("2001:db8::77"))), std::nullopt);
  OctetVector octets = with_chain(kDestination, chain, peer.local());
  std::fill(octets.begin() + 8, octets.begin() + 24, std::uint8_t{0});  // from ::
  EXPECT_EQ(told(octets), std::nullopt);
}

// RFC 8200 §4.4; type 0 is to be treated like one nobody knows (RFC 5095 §3).
TEST_F(ExtensionHeaders, ARoutingTypeWithSegmentsLeftIsPointedAt) {
  for (const std::uint8_t type : {0, 2, 4, 253})
    EXPECT_EQ(told_of(kRouting, {kUdp, 0, type, 1, 0, 0, 0, 0}), (Problem{0, 42})) << int{type};
  EXPECT_EQ(peer.in_octets(with_chain(kRouting, {kUdp, 0, 253, 0, 0, 0, 0, 0}, peer.local())),
            Verdict::port_unreachable);
  peer.forget_output();
  EXPECT_EQ(told_of(kDestination, {kRouting, 0, 1, 4, 0, 0, 0, 0, kUdp, 0, 0, 1, 0, 0, 0, 0}),
            (Problem{0, 50}));
}

// RFC 8200 §4: a zero in any next header field but the first.
TEST_F(ExtensionHeaders, HopByHopAnywhereButFirstIsAnUnknownHeader) {
  EXPECT_EQ(told_of(kDestination, {kHopByHop, 0, 1, 4, 0, 0, 0, 0,  //
                                   kUdp, 0, 1, 4, 0, 0, 0, 0}),
            (Problem{1, 40}));
  EXPECT_EQ(told_of(kHopByHop, {kDestination, 0, 1, 4, 0, 0, 0, 0,  //
                                kHopByHop,    0, 1, 4, 0, 0, 0, 0,  //
                                kUdp,         0, 1, 4, 0, 0, 0, 0}),
            (Problem{1, 48}));
}

TEST_F(ExtensionHeaders, AnUnknownProtocolIsPointedAtWhereItStands) {
  EXPECT_EQ(told_of(253, {}), (Problem{1, 6}));
  EXPECT_EQ(told_of(kDestination, {253, 0, 1, 4, 0, 0, 0, 0}), (Problem{1, 40}));
  // Behind an atomic fragment's header, whose second octet is no length (RFC 6946).
  EXPECT_EQ(told_of(wire::kProtocolFragment, {253, 9, 0, 0, 0, 0, 0, 1}), (Problem{1, 40}));
}

TEST_F(ExtensionHeaders, ThatAreCutShortAreDroppedInSilence) {
  for (const OctetVector& chain :
       {OctetVector{kUdp, 200, 1, 4, 0, 0, 0, 0}, OctetVector{kUdp, 0, 0x9e, 40, 0, 0, 0, 0}}) {
    const auto before = peer.stack().counters().of(Verdict::malformed);
    EXPECT_EQ(told_of(kDestination, chain), std::nullopt);
    EXPECT_EQ(peer.stack().counters().of(Verdict::malformed), before + 1);
  }
}

// ---- fragments

class V6Fragments : public ExtensionHeaders {
 protected:
  OctetVector fragment(std::uint32_t offset, bool more, std::size_t length,
                       std::uint8_t protocol = kUdp) {
    wire::IpHeader header{.source = peer.remote(), .destination = peer.local()};
    header.protocol = protocol;
    OctetVector octets(wire::fragment_header_length(Family::ipv6));
    wire::emit_fragment(header, {7, offset, more}, length, octets.data());
    octets.resize(octets.size() + length);
    return octets;
  }
};

TEST_F(V6Fragments, ThatEndBeyond65535PointAtTheirOffset) {
  EXPECT_EQ(told(fragment(65528, false, 8)), (Problem{0, 42}));
}

TEST_F(V6Fragments, OfNoMultipleOfEightPointAtTheirLength) {
  EXPECT_EQ(told(fragment(0, true, 9)), (Problem{0, 4}));
  EXPECT_EQ(told(fragment(800, true, 9)), (Problem{0, 4}));
}

// RFC 4443 §2.4 (e.1): a later fragment does not show whether it is of an error.
TEST_F(V6Fragments, OfIcmpAreNotAnsweredUnlessTheyShowTheirType) {
  EXPECT_EQ(told(fragment(65528, false, 8, wire::kProtocolIcmpV6)), std::nullopt);
}

// RFC 7112 §6.
TEST_F(V6Fragments, WithoutTheWholeHeaderChainAreRefusedWithCodeThree) {
  EXPECT_EQ(told(fragment(0, true, 0 + 8, kDestination)), std::nullopt);  // a chain of its own
  EXPECT_EQ(told(fragment(0, true, 8, wire::kProtocolTcp)), (Problem{3, 0}));
}

// A chain that goes on behind the fragment header is judged when the datagram is whole.
TEST_F(V6Fragments, AreJudgedAsOneWhenTheyAreWhole) {
  const OctetVector whole = with_chain(kDestination, {kUdp, 0, 0x9e, 4, 0, 0, 0, 0}, peer.local());
  OctetVector rest(whole.begin() + wire::kIpV6HeaderLength, whole.end());
  OctetVector first = fragment(0, true, 16, kDestination);
  std::copy_n(rest.begin(), 16, first.end() - 16);
  OctetVector second = fragment(16, false, rest.size() - 16, kDestination);
  std::copy(rest.begin() + 16, rest.end(),
            second.end() - static_cast<std::ptrdiff_t>(rest.size() - 16));
  EXPECT_EQ(peer.in_octets(first), Verdict::fragment_held);
  peer.in_octets(second);
  const auto sent = peer.next();
  ASSERT_TRUE(sent);
  const auto message = wire::parse_icmp(*wire::parse_ip(sent->octets));
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ((Problem{message->code, message->rest}), (Problem{2, 42}));
  EXPECT_EQ(OctetVector(message->body.begin(), message->body.end()), whole);
}

// RFC 1858 §3.1, §3.2: a first fragment that hides the flags, and one that would write over them.
TEST(V4Fragments, TooShortForATcpHeaderAreRefusedInSilence) {
  Peer peer;
  peer.listen();
  const auto tiny = fragments(peer.make("S 0:0(0) win 65535"), 16);
  EXPECT_EQ(peer.in_octets(tiny[0]), Verdict::fragment_refused);
  EXPECT_EQ(peer.in_octets(tiny[1]), Verdict::fragment_held);
  peer.quiet();
  EXPECT_EQ(peer.stack().census().syn_cache, 0u);
}

}  // namespace
}  // namespace estab::script
