// ICMP and ICMPv6 (RFC 792, RFC 4443, RFC 1122 §3.2.2): echo both ways, errors sent, and errors
// received, of which TCP believes only what quotes a number in flight (RFC 5927, RFC 9293
// §3.9.2.2).

#include "ip/reassembler.h"
#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

using Kind = wire::IcmpError::Kind;

class Icmp : public EachFamily {
 protected:
  bool v4() const { return GetParam() == Family::ipv4; }
  OctetVector echo_request(Octets data, const IpAddress& to) {
    return icmp(peer.remote(), to, {wire::echo_request_type(GetParam()), 0, 0x12345678, data});
  }
  wire::IcmpMessage expect_icmp(const Sent& sent) {
    EXPECT_EQ(sent.ip.protocol, wire::icmp_protocol(GetParam()));
    EXPECT_EQ(sent.ip.source, peer.local());
    EXPECT_EQ(sent.ip.destination, peer.remote());
    const auto packet = wire::parse_ip(sent.octets);
    const auto message = wire::parse_icmp(*packet);  // verifies the checksum
    EXPECT_TRUE(message.has_value());
    return message.value_or(wire::IcmpMessage{});
  }
  /// The body of the message that all frames sent so far make up.
  OctetVector whole_body() {
    ip::Reassembler reassembler({});
    while (const auto sent = peer.next()) {
      const auto packet = wire::parse_ip(sent->octets);
      EXPECT_TRUE(packet && packet->fragment);
      const auto whole = reassembler.accept(peer.now(), *packet);
      if (!whole || !*whole) continue;
      const auto message = wire::parse_icmp(*wire::parse_ip(**whole));
      EXPECT_TRUE(message.has_value());
      if (message) return {message->body.begin(), message->body.end()};
    }
    return {};
  }
};
INSTANTIATE_TEST_SUITE_P(Families, Icmp, both_families(), family_name);

// ---- echo

// [RFC 1122 3.1-1, 3.2.2.6-1, 3.2.2.6-4, 3.2.2.6-5, 3.3.4.2-1]
TEST_P(Icmp, AnswersAnEchoRequestWithItsData) {
  for (const std::size_t size : {0, 1, 56, 1400}) {
    const OctetVector data = pattern(Stream::from_remote, 0, size);
    EXPECT_EQ(peer.in_octets(echo_request(data, peer.local())), Verdict::echo_answered);
    const auto sent = peer.next();
    ASSERT_TRUE(sent);
    const wire::IcmpMessage reply = expect_icmp(*sent);
    EXPECT_EQ(reply.type, wire::echo_reply_type(GetParam()));
    EXPECT_EQ(reply.code, 0);
    EXPECT_EQ(reply.rest, 0x12345678u);
    EXPECT_EQ(OctetVector(reply.body.begin(), reply.body.end()), data);
    peer.quiet();
  }
}

// [RFC 1122 3.2.2.6-1, 3.2.2.6-4, 3.2.2.6-5]
TEST_P(Icmp, AnswersAnEchoRequestThatCameInFragments) {
  const OctetVector data = pattern(Stream::from_remote, 0, 1400);
  const auto pieces = fragments(echo_request(data, peer.local()), 512);
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i)
    EXPECT_EQ(peer.in_octets(pieces[i]), Verdict::fragment_held);
  EXPECT_EQ(peer.in_octets(pieces.back()), Verdict::echo_answered);
  const auto sent = peer.next();
  ASSERT_TRUE(sent);
  EXPECT_EQ(expect_icmp(*sent).body.size(), data.size());
}

// RFC 4443 §4.2: "the data received [...] MUST be returned entirely", however long.
// [RFC 1122 3.2.2.6-5, 3.3.3-1]
TEST_P(Icmp, AnswersAnEchoRequestThatNeedsFragmentsBothWays) {
  for (const std::size_t size : {std::size_t{4000}, std::size_t{v4() ? 65507u : 65527u}}) {
    const OctetVector data = pattern(Stream::from_remote, 0, size);
    for (const OctetVector& piece : fragments(echo_request(data, peer.local()), 1448))
      peer.in_octets(piece);
    EXPECT_EQ(whole_body(), data);
    peer.quiet();
  }
}

// [RFC 1122 3.2.2.6-3]
TEST_P(Icmp, DoesNotAnswerAnEchoRequestToMany) {
  const std::vector<const char*> many =
      v4() ? std::vector<const char*>{"192.0.2.255", "255.255.255.255", "224.0.0.1"}
           : std::vector<const char*>{"ff02::1"};
  for (const char* to : many) peer.in_octets(echo_request({}, *IpAddress::parse(to)));
  peer.quiet();
}

TEST(IcmpEcho, CanBeSwitchedOff) {
  Peer peer(PeerOptions{.stack = {.answer_echo = false}});
  const OctetVector request =
      icmp(peer.remote(), peer.local(), {wire::icmp_v4::kEchoRequest, 0, 1, {}});
  EXPECT_EQ(peer.in_octets(request), Verdict::icmp);
  peer.quiet();
}

// [RFC 1122 3.2.2.6-2, 3.2.2.6-7, 3.4-5]
TEST_P(Icmp, SendsAnEchoRequestAndTellsOfTheReply) {
  const OctetVector data = pattern(Stream::from_stack, 0, 100);
  EXPECT_TRUE(peer.stack().send_echo(peer.now(), peer.remote(), 7, 9, data));
  const auto sent = peer.next();
  ASSERT_TRUE(sent);
  const wire::IcmpMessage request = expect_icmp(*sent);
  EXPECT_EQ(request.type, wire::echo_request_type(GetParam()));
  EXPECT_EQ(request.rest, 7u << 16 | 9);
  EXPECT_EQ(OctetVector(request.body.begin(), request.body.end()), data);
  wire::IcmpMessage reply = request;
  reply.type = wire::echo_reply_type(GetParam());
  EXPECT_EQ(peer.in_octets(icmp(peer.remote(), peer.local(), reply)), Verdict::icmp);
  EXPECT_EQ(peer.other_events(), (std::vector<Event>{EchoEvent{peer.remote(), 7, 9, 100}}));
  const OctetVector large = pattern(Stream::from_stack, 0, 2000), huge(65536);
  EXPECT_TRUE(peer.stack().send_echo(peer.now(), peer.remote(), 7, 10, large));
  EXPECT_EQ(whole_body(), large);
  EXPECT_EQ(peer.stack().send_echo(peer.now(), peer.remote(), 7, 9, huge).error(),
            Error::message_too_long);
}

// RFC 1112 §6.1.
TEST_P(Icmp, SendsAnEchoRequestToAGroupNoFurtherThanTheLink) {
  if (v4()) {
    EXPECT_TRUE(peer.stack().add_route({*Cidr::parse("224.0.0.0/4"), peer.interface()}));
  }
  const IpAddress group = *IpAddress::parse(v4() ? "224.0.0.1" : "ff02::1%1");
  EXPECT_TRUE(peer.stack().send_echo(peer.now(), group, 7, 9, {}));
  EXPECT_EQ(peer.next()->ip.ttl, 1);
}

TEST_P(Icmp, AnswersAnEchoRequestToOneself) {
  EXPECT_TRUE(peer.stack().send_echo(peer.now(), peer.local(), 7, 9, {}));
  peer.quiet();
  EXPECT_EQ(peer.other_events(), (std::vector<Event>{EchoEvent{peer.local(), 7, 9, 0}}));
}

TEST_P(Icmp, DropsAWrongChecksum) {
  OctetVector octets = echo_request(pattern(Stream::from_remote, 0, 10), peer.local());
  octets.back() ^= 1;
  EXPECT_EQ(peer.in_octets(octets), Verdict::bad_checksum);
  peer.quiet();
}

// ---- errors sent

// [RFC 1122 3.2.2-2, 3.2.2.1-1, 3.3.8-1, 3.4-5, 4.1.3.1-1]
TEST_P(Icmp, ReportsAUdpPortNobodyBound) {
  const OctetVector datagram = udp({peer.remote(), 1000}, {peer.local(), 2000}, OctetVector(40));
  EXPECT_EQ(peer.in_octets(datagram), Verdict::port_unreachable);
  const auto sent = peer.next();
  ASSERT_TRUE(sent);
  const auto packet = wire::parse_ip(sent->octets);
  const wire::IcmpMessage message = expect_icmp(*sent);
  const auto error = wire::parse_icmp_error(message, GetParam());
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Kind::port_unreachable);
  EXPECT_EQ(error->source_port, 1000);
  EXPECT_EQ(error->destination_port, 2000);
  EXPECT_EQ(OctetVector(message.body.begin(), message.body.end()), datagram);
}

// [RFC 1122 3.1-1, 3.2.2.1-1, 3.3.8-1]
TEST_P(Icmp, ReportsAProtocolItDoesNotKnow) {
  wire::IpHeader header{.source = peer.remote(), .destination = peer.local()};
  header.protocol = 253;
  EXPECT_EQ(peer.in_octets(datagram(header, OctetVector(20))), Verdict::unknown_protocol);
  const auto sent = peer.next();
  ASSERT_TRUE(sent);
  const wire::IcmpMessage message = expect_icmp(*sent);
  EXPECT_EQ(message.type, v4() ? wire::icmp_v4::kUnreachable : wire::icmp_v6::kParameterProblem);
  EXPECT_EQ(message.code, v4() ? wire::icmp_v4::kProtocol : wire::icmp_v6::kUnknownNextHeader);
  EXPECT_EQ(message.rest, v4() ? 0u : 6u);  // the pointer: IPv6's next header
}

// [RFC 1122 3.3.2-4, 3.3.2-5, 3.3.2-6, 3.3.8-1]
TEST_P(Icmp, ReportsADatagramThatWasNeverCompleted) {
  const OctetVector whole =
      udp({peer.remote(), 1000}, {peer.local(), 2000}, pattern(Stream::from_remote, 0, 1000));
  peer.in_octets(fragments(whole, 512).front());
  peer.after(59999ms);
  peer.quiet();
  peer.after(1ms);
  const auto sent = peer.next();
  ASSERT_TRUE(sent);
  const wire::IcmpMessage message = expect_icmp(*sent);
  EXPECT_EQ(message.type, v4() ? wire::icmp_v4::kTimeExceeded : wire::icmp_v6::kTimeExceeded);
  EXPECT_EQ(message.code, wire::kReassemblyExceeded);
}

// RFC 1122 §3.2.2, RFC 4443 §2.4 (e).
// [RFC 1122 3.2.2-1, 3.2.2-5]
TEST_P(Icmp, SendsNoErrorAboutAnErrorNorToMany) {
  const OctetVector inner = udp({peer.local(), 1}, {peer.remote(), 2}, OctetVector(8));
  Sent about{.at = {}, .octets = inner};
  about.ip = wire::parse_ip(inner)->header;
  peer.in_octets(icmp_error(about, Kind::port_unreachable));
  const IpAddress many = *IpAddress::parse(v4() ? "192.0.2.255" : "ff02::1");
  peer.in_octets(udp({peer.remote(), 1000}, {many, 2000}, OctetVector(8)));
  peer.in_octets(icmp(peer.remote(), peer.local(), {99, 0, 0, {}}));  // a type nobody knows
  peer.quiet();
}

// [RFC 1122 3.2.2-4]
TEST_P(Icmp, ErrorsHaveNoTrafficClass) {
  OctetVector octets = udp({peer.remote(), 1000}, {peer.local(), 2000}, OctetVector(8));
  const auto packet = wire::parse_ip(octets).value();
  wire::IpHeader header = packet.header;
  header.traffic_class = 0xb8;
  EXPECT_EQ(peer.in_octets(datagram(header, packet.payload)), Verdict::port_unreachable);
  EXPECT_EQ(peer.next()->ip.traffic_class, 0);
}

// A router that sends one may be anybody; requests that RFC 6918 has deprecated are nobody's.
// [RFC 1122 3.2.2.2-4, 3.2.2.7-1, 3.2.2.9-10]
TEST_P(Icmp, DropsRedirects) {
  peer.establish();
  peer.send(100);
  const Sent data = peer.out("P. 1:101(100) ack 1");
  if (v4()) {
    OctetVector body(data.octets.begin(), data.octets.begin() + 28);
    const std::uint32_t gateway = IpAddress::v4(192, 0, 2, 66).v4_number();
    for (const std::uint8_t code : {0, 1, 2, 3})
      peer.in_octets(icmp(peer.remote(), peer.local(), {5, code, gateway, body}));
    for (const std::uint8_t type : {13, 15, 17})  // timestamp, information, address mask
      peer.in_octets(icmp(peer.remote(), peer.local(), {type, 0, 1, OctetVector(12)}));
  } else {
    peer.in_octets(icmp(peer.remote(), peer.local(), {137, 0, 0, OctetVector(32)}));
  }
  peer.quiet();
  EXPECT_FALSE(peer.told().soft_error);
  peer.after(300ms);
  EXPECT_EQ(peer.out("P. 1:101(100) ack 1").next_hop, peer.remote());
}

// RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f).
// [RFC 1122 3.3.8-1]
TEST(IcmpLimit, BoundsTheErrorsSentInASecond) {
  Peer peer(PeerOptions{.stack = {.limits = {.icmp_errors_per_second = 50}}});
  const OctetVector datagram = udp({peer.remote(), 1000}, {peer.local(), 2000}, OctetVector(8));
  std::size_t sent = 0;
  for (int tenth = 0; tenth < 100; ++tenth) {
    for (int i = 0; i < 20; ++i) peer.in_octets(datagram);
    sent += peer.waiting();
    peer.forget_output();
    peer.after(100ms);
  }
  EXPECT_GE(sent, 450u);
  EXPECT_LE(sent, 550u);
  EXPECT_EQ(peer.stack().counters().icmp_rate_limited, 2000 - sent);
}

// ---- errors received, about TCP

// MUST-56, SHLD-25, and RFC 5927 §5.2 for the hard ones: nothing ICMP says ends an open connection.
// [RFC 9293 MUST-47, 3.9.1.8-1, MUST-54, MUST-56, SHLD-25] [RFC 1122 3.2.2-3, 3.2.2.1-2,
// 3.2.2.1-3, 3.2.2.4-1, 3.2.2.5-2, 3.4-6]
TEST_P(Icmp, ErrorsAboutAnOpenConnectionAreAdvice) {
  for (const auto& [kind, error] :
       {std::pair{Kind::net_unreachable, Error::network_unreachable},
        std::pair{Kind::host_unreachable, Error::host_unreachable},
        std::pair{Kind::port_unreachable, Error::port_unreachable},
        std::pair{Kind::administratively_prohibited, Error::host_unreachable},
        std::pair{Kind::time_exceeded, Error::host_unreachable},
        std::pair{Kind::parameter_problem, Error::host_unreachable}}) {
    Peer each(TcpConfig{}, GetParam());
    each.establish();
    each.send(100);
    const Sent data = each.out("P. 1:101(100) ack 1");
    EXPECT_EQ(each.in_octets(icmp_error(data, kind)), Verdict::icmp);
    EXPECT_EQ(each.state(), State::established);
    const StreamEvent told = each.told();
    EXPECT_EQ(told.soft_error, error);  // MUST-47
    EXPECT_FALSE(told.failure);
    each.in(". 1:1(0) ack 101 win 65535");
    each.in("P. 1:11(10) ack 101 win 65535");
    each.out(". 101:101(0) ack 11");
  }
}

// RFC 4443 §2.4 (a): an error of a type nobody here knows is passed on all the same.
TEST(IcmpV6, ErrorsOfAnUnknownTypeAreAdviceToo) {
  Peer peer(TcpConfig{}, Family::ipv6);
  peer.establish();
  peer.send(100);
  const Sent data = peer.out("P. 1:101(100) ack 1");
  const Octets quote = Octets(data.octets).first(60);
  peer.in_octets(icmp(peer.remote(), peer.local(), {100, 7, 0, quote}));
  EXPECT_EQ(peer.told().soft_error, Error::host_unreachable);
  EXPECT_EQ(peer.state(), State::established);
}

// Eight octets of the transport header are all a router need quote.
// [RFC 1122 3.4-7]
TEST_P(Icmp, AShortQuoteSuffices) {
  peer.establish();
  peer.send(100);
  const Sent data = peer.out("P. 1:101(100) ack 1");
  peer.in_octets(icmp_error(data, Kind::host_unreachable, 0, (v4() ? 20 : 40) + 8));
  EXPECT_EQ(peer.told().soft_error, Error::host_unreachable);
  peer.send(1);
  peer.in_octets(icmp_error(data, Kind::host_unreachable, 0, (v4() ? 20 : 40) + 7));
  EXPECT_FALSE(peer.told().soft_error);
}

// RFC 5927 §4.1.
// [RFC 9293 MUST-54]
TEST_P(Icmp, ErrorsThatQuoteWhatIsNotInFlightAreIgnored) {
  peer.establish();
  peer.send(100);
  const Sent first = peer.out("P. 1:101(100) ack 1");
  peer.in(". 1:1(0) ack 101 win 65535");
  peer.send(100);
  const Sent second = peer.out("P. 101:201(100) ack 1");
  (void)peer.told();
  peer.in_octets(icmp_error(first, Kind::host_unreachable));  // acknowledged long ago
  EXPECT_FALSE(peer.told().soft_error);
  Sent guessed = second;
  const std::size_t port = v4() ? 20 : 40;
  base::store_be32(&guessed.octets[port + 4], peer.stack_isn().value() + 201);  // never sent
  peer.in_octets(icmp_error(guessed, Kind::host_unreachable));
  EXPECT_FALSE(peer.told().soft_error);
  guessed = second;
  base::store_be16(&guessed.octets[port], 1);  // no such connection
  peer.in_octets(icmp_error(guessed, Kind::host_unreachable));
  EXPECT_FALSE(peer.told().soft_error);
  peer.in_octets(icmp_error(second, Kind::host_unreachable));
  EXPECT_TRUE(peer.told().soft_error);
}

// MUST-55.
// [RFC 9293 MUST-55]
TEST(IcmpSourceQuench, IsSilentlyDropped) {
  Peer peer;
  peer.establish();
  peer.send(100);
  const Sent data = peer.out("P. 1:101(100) ack 1");
  const Octets quote = Octets(data.octets).first(28);
  const std::uint32_t cwnd = peer.info().snd_cwnd;
  peer.in_octets(icmp(peer.remote(), peer.local(), {wire::icmp_v4::kSourceQuench, 0, 0, quote}));
  EXPECT_FALSE(peer.told().soft_error);
  EXPECT_EQ(peer.info().snd_cwnd, cwnd);
  peer.quiet();
}

// A hard error ends an opening of the peer's (SHLD-26), and nothing else.
TEST_P(Icmp, ErrorsAboutATimeWaitRecordDoNothingAndHardOnesEndAHalfOpenOne) {
  for (const State state : {State::syn_received, State::time_wait}) {
    Peer each(TcpConfig{}, GetParam());
    each.listen();
    each.in("S 0:0(0) win 65535 <mss 1460>");
    Sent last = each.out("S. 0:0(0) ack 1 <*>");
    if (state == State::time_wait) {
      each.in(". 1:1(0) ack 1 win 65535");
      ASSERT_TRUE(each.accept());
      EXPECT_TRUE(each.shutdown());
      last = each.out("F. 1:1(0) ack 1");
      each.in("F. 1:1(0) ack 2 win 65535");
      each.out(". 2:2(0) ack 2");
    }
    each.in_octets(icmp_error(last, Kind::port_unreachable));
    each.quiet();
    EXPECT_EQ(each.state(), state == State::syn_received ? State::listen : state);
  }
}

}  // namespace
}  // namespace estab::script
