// The path below a connection: path MTU discovery (RFC 1191, RFC 8201), fragments received, several
// interfaces and routes, source addresses, and talking to oneself.

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

using Kind = wire::IcmpError::Kind;

class Path : public EachFamily {
 protected:
  bool v4() const { return GetParam() == Family::ipv4; }
  std::uint32_t mss_of(std::uint32_t mtu) const { return mtu - (v4() ? 40 : 60); }
  static std::string span(std::uint32_t begin, std::uint32_t end) {
    return std::to_string(begin) + ":" + std::to_string(end) + "(" + std::to_string(end - begin) +
           ")";
  }
};
INSTANTIATE_TEST_SUITE_P(Families, Path, both_families(), family_name);

// ---- path MTU

// [RFC 7323 5.7-1] [RFC 1191 3-1, 3-2, 3-3, 3-4, 6.1-2, 6.4-1, 6.4-3, 6.2-9]
// [RFC 8201 1-1, 3-2]
TEST_P(Path, SendsWhatWasTooBigAgainInSmallerSegments) {
  peer.establish({.options = "mss 9000"});
  const std::uint32_t mss = mss_of(1500), small = mss_of(1300);
  peer.send(2 * mss);
  const Sent first = peer.out(". " + span(1, 1 + mss) + " ack 1");
  peer.out("P. " + span(1 + mss, 1 + 2 * mss) + " ack 1");
  const std::uint32_t cwnd = peer.info().snd_cwnd;
  EXPECT_EQ(first.ip.dont_fragment, true);
  peer.in_octets(icmp_error(first, Kind::packet_too_big, 1300));
  peer.out(". " + span(1, 1 + small) + " ack 1");
  peer.out(". " + span(1 + small, 1 + 2 * small) + " ack 1");
  peer.out("P. " + span(1 + 2 * small, 1 + 2 * mss) + " ack 1");
  peer.quiet();
  EXPECT_EQ(peer.info().pmtu, 1300u);
  EXPECT_EQ(peer.info().snd_mss, small);
  EXPECT_GE(peer.info().snd_cwnd, cwnd - mss);  // no sign of congestion (RFC 1191 §6.4)
  peer.in(". 1:1(0) ack " + std::to_string(1 + 2 * mss) + " win 65535");
  peer.send(small + 1);
  peer.out(". " + span(1 + 2 * mss, 1 + 2 * mss + small) + " ack 1");
  EXPECT_FALSE(peer.told().failure);
}

// RFC 5927 §7.2, §4.1: only what quotes octets in flight.
// [RFC 8201 4-2]
TEST_P(Path, DoesNotBelieveAReportAboutWhatIsNotInFlight) {
  peer.establish({.options = "mss 9000"});
  const std::uint32_t mss = mss_of(1500);
  peer.send(mss);
  Sent sent = peer.out("P. " + span(1, 1 + mss) + " ack 1");
  const std::size_t seq = (v4() ? 20 : 40) + 4;
  for (const std::uint32_t number : {0u, 1 + mss, 0x80000000u}) {  // behind, ahead, far away
    Sent forged = sent;
    base::store_be32(&forged.octets[seq], peer.stack_isn().value() + number);
    peer.in_octets(icmp_error(forged, Kind::packet_too_big, 1300));
    peer.quiet();
    EXPECT_EQ(peer.info().pmtu, 1500u);
  }
  peer.in(". 1:1(0) ack " + std::to_string(1 + mss) + " win 65535");
  peer.in_octets(icmp_error(sent, Kind::packet_too_big, 1300));  // acknowledged meanwhile
  EXPECT_EQ(peer.info().pmtu, 1500u);
  peer.quiet();
}

// What nobody of ours sent is no reason to send smaller datagrams to a host (RFC 8201 §4).
// [RFC 8201 4-2]
TEST_P(Path, DoesNotBelieveAReportAboutADatagramNobodySent) {
  Sent forged{.at = {}, .octets = udp({peer.local(), 5}, {peer.remote(), 6}, OctetVector(1000))};
  forged.ip = wire::parse_ip(forged.octets)->header;
  peer.in_octets(icmp_error(forged, Kind::packet_too_big, 1300));
  Sent echo{.at = {},
            .octets = icmp(peer.local(), peer.remote(),
                           {wire::echo_request_type(GetParam()), 0, 1, OctetVector(1000)})};
  echo.ip = wire::parse_ip(echo.octets)->header;
  peer.in_octets(icmp_error(echo, Kind::packet_too_big, 1300));
  peer.establish();
  EXPECT_EQ(peer.info().pmtu, 1500u);
}

// [RFC 8201 4-3, 4-4]
TEST_P(Path, GoesNoLowerThanItsFloor) {
  peer.establish({.options = "mss 9000"});
  peer.send(mss_of(1500));
  const Sent sent = *peer.next();
  peer.in_octets(icmp_error(sent, Kind::packet_too_big, v4() ? 68 : 1279));
  peer.forget_output();
  EXPECT_EQ(peer.info().pmtu, v4() ? 552u : 1500u);  // RFC 8201 §4: below 1280 is ignored
}

// [RFC 1191 3-10, 6.4-4, 6.4-5]
TEST_P(Path, IgnoresAReportThatIsNotSmaller) {
  peer.establish({.options = "mss 9000"});
  peer.send(mss_of(1500));
  const Sent sent = *peer.next();
  for (const std::uint32_t mtu : {1500, 1501, 9000, 65535}) {
    peer.in_octets(icmp_error(sent, Kind::packet_too_big, mtu));
    peer.quiet();
  }
  EXPECT_EQ(peer.info().pmtu, 1500u);
}

// RFC 1191 §5: routers older than it name no MTU. What they quote may be too long by its header.
// [RFC 1191 3-7, 5-2]
TEST(PathOldRouter, IsAnsweredByTheNextPlateau) {
  Peer peer;
  peer.establish({.options = "mss 9000"});
  peer.send(1460);
  const Sent sent = peer.out("P. 1:1461(1460) ack 1");
  peer.in_octets(icmp_error(sent, Kind::packet_too_big, 0));
  peer.out(". 1:967(966) ack 1");
  EXPECT_EQ(peer.info().pmtu, 1006u);
  peer.forget_output();
}

// [RFC 1191 2-1, 3-5, 3-6, 6.3-1, 6.3-2, 6.3-3, 6.3-5, 7.1-4]
TEST_P(Path, TriesTheLinksMtuAgainAfterAWhile) {
  peer.establish({.options = "mss 9000"});
  const std::uint32_t mss = mss_of(1500), small = mss_of(1300);
  peer.send(mss);
  peer.in_octets(icmp_error(*peer.next(), Kind::packet_too_big, 1300));
  peer.forget_output();
  std::uint32_t at = 1 + mss;
  peer.in(". 1:1(0) ack " + std::to_string(at) + " win 65535");
  peer.after(599s);
  peer.send(small);
  peer.out("P. " + span(at, at + small) + " ack 1");
  EXPECT_EQ(peer.info().snd_mss, small);
  at += small;
  peer.in(". 1:1(0) ack " + std::to_string(at) + " win 65535");
  peer.after(700s);  // RFC 1191 §6.3: ten minutes
  peer.send(mss);
  peer.out("P. " + span(at, at + mss) + " ack 1");
}

// [RFC 1191 6.1-1, 6.2-4, 6.2-5, 6.2-6]
TEST_P(Path, SharesWhatItLearnedBetweenConnectionsToOneHost) {
  peer.establish({.options = "mss 9000"});
  peer.send(mss_of(1500));
  peer.in_octets(icmp_error(*peer.next(), Kind::packet_too_big, 1300));
  peer.forget_output();
  peer.talk_from(2);
  peer.in("S 0:0(0) win 65535 <mss 9000>");
  // MUST-67: what we can receive does not depend on it.
  peer.out("S. 0:0(0) ack 1 <mss " + std::to_string(mss_of(1500)) + ">");
  peer.in(". 1:1(0) ack 1 win 65535");
  ASSERT_TRUE(peer.accept());
  EXPECT_EQ(peer.info().snd_mss, mss_of(1300));
}

// RFC 1191 §6.2: whatever the report quoted, every connection on that path is told.
// [RFC 1191 6.1-1, 6.2-4, 6.2-5, 6.2-6]
TEST_P(Path, TellsEveryConnectionThatIsOpenToThatHost) {
  for (const std::uint16_t port : {1, 2}) {
    peer.talk_from(port);
    peer.establish({.options = "mss 9000"});
  }
  peer.send(mss_of(1500));
  peer.in_octets(icmp_error(*peer.next(), Kind::packet_too_big, 1300));
  peer.forget_output();
  peer.talk_from(1);
  peer.send(mss_of(1500));
  peer.out(". " + span(1, 1 + mss_of(1300)) + " ack 1");
  peer.forget_output();
  const auto datagrams = *peer.stack().bind_datagram({peer.local(), 5});
  ASSERT_TRUE(
      peer.stack().send_datagram(peer.now(), datagrams, {peer.remote(), 6}, OctetVector(1200)));
  peer.in_octets(icmp_error(*peer.next(), Kind::packet_too_big, 1290));
  peer.in(". 1:1(0) ack " + std::to_string(1 + mss_of(1300)) + " win 65535");
  peer.out("P. " + span(1 + mss_of(1300), 1 + mss_of(1500)) + " ack 1");
  EXPECT_EQ(peer.info().pmtu, 1290u);
}

// [RFC 1191 6.2-8, 6.5-2]
TEST_P(Path, HoldsForDatagramsToo) {
  Stack& stack = peer.stack();
  const auto port = *stack.bind_datagram({peer.local(), 5});
  const Endpoint to{peer.remote(), 6};
  const OctetVector full(1500 - (v4() ? 28 : 48));
  ASSERT_TRUE(stack.send_datagram(peer.now(), port, to, full));
  peer.in_octets(icmp_error(*peer.next(), Kind::packet_too_big, 1300));
  ASSERT_TRUE(stack.send_datagram(peer.now(), port, to, full));
  EXPECT_EQ(peer.waiting(), 2u);  // fragments
  peer.forget_output();
  EXPECT_TRUE(stack.reconfigure(port, {.fragment = false}));
  EXPECT_EQ(stack.send_datagram(peer.now(), port, to, full).error(), Error::message_too_long);
  const Octets less = Octets(full).first(full.size() - 200);
  EXPECT_TRUE(stack.send_datagram(peer.now(), port, to, less));
  peer.forget_output();
}

TEST_P(Path, FollowsTheMtuOfTheLink) {
  peer.establish({.options = "mss 9000"});
  peer.stack().set_mtu(peer.interface(), 1400);
  peer.send(mss_of(1400) + 1);
  peer.out(". " + span(1, 1 + mss_of(1400)) + " ack 1");
  peer.forget_output();
  EXPECT_EQ(peer.info().pmtu, 1400u);
}

// ---- fragments received

// [RFC 1122 3.3.2-1]
TEST_P(Path, PutsASegmentInFragmentsTogether) {
  peer.establish();
  const auto pieces = fragments(peer.make("P. 1:1001(1000) ack 1 win 65535"), 256);
  ASSERT_EQ(pieces.size(), 4u);
  for (const std::size_t i : {2, 0, 3})
    EXPECT_EQ(peer.in_octets(pieces[i]), Verdict::fragment_held);
  peer.quiet();
  peer.in_octets(pieces[1]);
  peer.out(". 1:1(0) ack 1001");
  EXPECT_EQ(peer.recv(), 1000u);
}

TEST_P(Path, RefusesFragmentsThatOverlap) {  // RFC 5722
  peer.establish();
  const OctetVector whole = peer.make("P. 1:1001(1000) ack 1 win 65535");
  const auto pieces = fragments(whole, 512), others = fragments(whole, 256);
  peer.in_octets(pieces[0]);
  EXPECT_EQ(peer.in_octets(others[1]), Verdict::fragment_refused);
  peer.in_octets(pieces[1]);
  peer.quiet();
  EXPECT_EQ(peer.stack().readable(peer.stream()), 0u);
}

// [RFC 1122 3.3.2-4, 3.3.2-5, 3.3.2-6]
TEST_P(Path, ForgetsFragmentsAfterAMinute) {
  peer.establish();
  const auto pieces = fragments(peer.make("P. 1:1001(1000) ack 1 win 65535"), 512);
  peer.in_octets(pieces[1]);
  peer.after(60s);
  peer.quiet();  // no first fragment, no error (RFC 1122 §3.3.2)
  EXPECT_EQ(peer.in_octets(pieces[0]), Verdict::fragment_held);
}

TEST(PathFragmentLimit, BoundsWhatIsHeld) {
  Peer peer(PeerOptions{.stack = {.limits = {.fragment_octets = 8192}}});
  const OctetVector whole = udp({peer.remote(), 1}, {peer.local(), 2}, OctetVector(1400));
  const std::size_t before = peer.stack().memory();
  for (std::uint16_t id = 0; id < 1000; ++id) peer.in_octets(fragments(whole, 1024, id)[0]);
  EXPECT_LT(peer.stack().memory() - before, 64u << 10);
  peer.quiet();
}

// ---- interfaces, routes, source addresses

// A second link with a network and a gateway of its own beside Peer's.
class Routes : public EachFamily {
 protected:
  void SetUp() override {
    Stack& stack = peer.stack();
    second = stack.add_interface({.name = "second", .mtu = 1400});
    const bool v4 = GetParam() == Family::ipv4;
    ASSERT_TRUE(stack.add_address(second, *Cidr::parse(v4 ? "10.0.0.1/8" : "fd00::1/16")));
    const auto gateway = [&](std::string_view to, InterfaceId by, std::string_view over) {
      EXPECT_TRUE(stack.add_route({*Cidr::parse(to), by, *IpAddress::parse(over)}));
    };
    gateway(v4 ? "0.0.0.0/0" : "::/0", peer.interface(), v4 ? "192.0.2.254" : "2001:db8::fe");
    gateway(v4 ? "198.51.100.0/24" : "2001:db9::/32", second, v4 ? "10.0.0.254" : "fd00::fe");
    EXPECT_TRUE(stack.add_route(
        {*Cidr::parse(v4 ? "198.51.100.128/25" : "2001:db9:8000::/33"), peer.interface()}));
  }
  IpAddress address(std::string_view v4, std::string_view v6) const {
    return *IpAddress::parse(GetParam() == Family::ipv4 ? v4 : v6);
  }
  /// The SYN of a connection to there.
  Sent syn_to(const IpAddress& to) {
    EXPECT_TRUE(peer.stack().connect(peer.now(), {.remote = {to, 80}}));
    auto sent = peer.next();
    EXPECT_TRUE(sent && sent->segment);
    return sent ? *sent : Sent{};
  }
  InterfaceId second;
};
INSTANTIATE_TEST_SUITE_P(Families, Routes, both_families(), family_name);

// [RFC 9293 MUST-44] [RFC 1122 3.1-3, 3.2.1.3-8, 3.3.1.1-1, 3.3.1.6-1, 3.3.1.6-2, 3.3.3-2]
TEST_P(Routes, TakeTheLongestPrefixAndSendFromAnAddressOfThatLink) {
  struct Expected {
    IpAddress to;
    InterfaceId by;
    IpAddress over, from;
  };
  const IpAddress first_own = peer.local(), second_own = address("10.0.0.1", "fd00::1");
  const std::vector<Expected> all = {
      {peer.remote(), peer.interface(), peer.remote(), first_own},
      {address("10.9.9.9", "fd00:9::9"), second, address("10.9.9.9", "fd00:9::9"), second_own},
      {address("203.0.113.5", "2001:dba::5"), peer.interface(),
       address("192.0.2.254", "2001:db8::fe"), first_own},
      {address("198.51.100.5", "2001:db9::5"), second, address("10.0.0.254", "fd00::fe"),
       second_own},
      {address("198.51.100.200", "2001:db9:8000::5"), peer.interface(),
       address("198.51.100.200", "2001:db9:8000::5"), first_own}};
  for (const Expected& expected : all) {
    const Sent syn = syn_to(expected.to);
    EXPECT_EQ(syn.ip.destination, expected.to);
    EXPECT_EQ(syn.interface, expected.by);
    EXPECT_EQ(syn.next_hop, expected.over);
    EXPECT_EQ(syn.ip.source, expected.from);
    const std::uint32_t mtu = expected.by == second ? 1400 : 1500;
    EXPECT_EQ(syn.segment->options.mss, mtu - (GetParam() == Family::ipv4 ? 40 : 60));
  }
}

// [RFC 9293 MUST-43]
TEST_P(Routes, LetTheApplicationChooseTheAddress) {
  const IpAddress own = address("10.0.0.1", "fd00::1");
  ASSERT_TRUE(
      peer.stack().connect(peer.now(), {.remote = {peer.remote(), 80}, .local_address = own}));
  const auto syn = peer.next();
  ASSERT_TRUE(syn);
  EXPECT_EQ(syn->ip.source, own);
  EXPECT_EQ(syn->interface, peer.interface()) << "the way is that to the peer all the same";
  const ListenOptions options{.local = {own, Peer::kLocalPort}};
  ASSERT_TRUE(peer.stack().listen(options));
  EXPECT_EQ(peer.in("S 0:0(0) win 65535 <mss 1460>"), Verdict::answered_reset) << "another address";
  peer.forget_output();
}

// The weak end-system model: any of its addresses, on any link; the answer goes by the route.
// [RFC 9293 MUST-45]
TEST_P(Routes, AnswerOnTheWayToThePeerWhereverItsSegmentCameIn) {
  peer.listen();
  const OctetVector syn = peer.make("S 0:0(0) win 65535 <mss 1460>");
  EXPECT_EQ(peer.stack().handle_frame(peer.now(), second, {.octets = syn}), Verdict::syn_queued);
  const Sent answer = peer.out("S. 0:0(0) ack 1 <*>");
  EXPECT_EQ(answer.interface, peer.interface());
  EXPECT_EQ(answer.ip.source, peer.local());
}

// MUST-45: the address a connection began with stays its own.
// [RFC 9293 MUST-45] [RFC 1122 3.3.1.2-1, 3.3.1.3-1]
TEST_P(Routes, DoNotChangeTheAddressOfAConnectionButItsWay) {
  peer.establish();
  const bool v4 = GetParam() == Family::ipv4;
  EXPECT_TRUE(peer.stack().add_route({{peer.remote(), std::uint8_t(v4 ? 32 : 128)}, second}));
  peer.send(10);
  const Sent sent = peer.out("P. 1:11(10) ack 1");
  EXPECT_EQ(sent.interface, second);
  EXPECT_EQ(sent.ip.source, peer.local());
}

// RFC 1122 §3.2.1.3: addresses that mean "this host" or "this network" never reach a link, though a
// default route would lead there.
// [RFC 1122 3.2.1.3-1, 3.2.1.3-2, 3.2.1.3-7]
TEST_P(Routes, DoNotLeadToAddressesThatStayInside) {
  Stack& stack = peer.stack();
  const auto port = *stack.bind_datagram({IpAddress::any(GetParam()), 5});
  const bool v4 = GetParam() == Family::ipv4;
  for (const char* inside : v4 ? std::vector{"127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3"}
                               : std::vector{"::1", "::"}) {
    const IpAddress to = *IpAddress::parse(inside);
    EXPECT_FALSE(stack.connect(peer.now(), {.remote = {to, 80}})) << inside;
    EXPECT_EQ(stack.send_datagram(peer.now(), port, {to, 6}, {}).error(), Error::no_route);
    EXPECT_EQ(stack.send_echo(peer.now(), to, 1, 1, {}).error(), Error::no_route);
  }
  peer.quiet();
}

// [RFC 1122 3.1-6, 3.2.1.3-10, 3.2.2.2-1]
TEST_P(Routes, DropWhatIsForOthers) {
  const IpAddress other = address("10.0.0.2", "fd00::2");
  EXPECT_EQ(peer.in_octets(udp({peer.remote(), 1}, {other, 2}, OctetVector(8))),
            Verdict::not_for_us);
  peer.quiet();
}

TEST(RoutesNone, MeanThatASynCannotBeAnswered) {
  Peer peer;
  peer.listen();
  wire::IpHeader ip{.source = IpAddress::v4(203, 0, 113, 5), .destination = peer.local()};
  ip.protocol = wire::kProtocolTcp;
  const auto known = wire::parse_ip(peer.make("S 0:0(0) win 65535"))->payload.size();
  OctetVector tcp(known);
  Segment syn;
  syn.destination_port = Peer::kLocalPort;
  syn.flags = kSyn;
  wire::emit_tcp(syn, tcp.data());
  wire::finish_tcp_checksum(tcp, ip.source, ip.destination);
  EXPECT_EQ(peer.in_octets(datagram(ip, tcp)), Verdict::bad_address);
  peer.quiet();
  EXPECT_EQ(peer.stack().census().syn_cache, 0u);
}

// RFC 1122 §3.2.1.3: what a host sends to itself never reaches a link.
TEST_P(Routes, AreNotNeededToTalkToOneself) {
  Stack& stack = peer.stack();
  peer.listen();
  const auto made = stack.connect(peer.now(), {.remote = {peer.local(), Peer::kLocalPort}});
  ASSERT_TRUE(made);
  peer.quiet();
  const auto accepted = stack.accept(peer.now(), peer.listener());
  ASSERT_TRUE(accepted);
  EXPECT_EQ(stack.endpoints(*made)->local_address, peer.local());
  const OctetVector data = pattern(Stream::from_stack, 1, 100000);
  EXPECT_TRUE(stack.send(peer.now(), *made, data));
  OctetVector read(data.size());
  for (std::size_t at = 0; at < read.size();) {
    peer.quiet();
    const auto n = stack.recv(peer.now(), *accepted, MutableOctets(read).subspan(at));
    ASSERT_TRUE(n) << at;
    at += *n;
  }
  EXPECT_EQ(read, data);
  EXPECT_TRUE(stack.close(peer.now(), *made));
  peer.quiet();
  EXPECT_EQ(stack.state(*accepted), State::close_wait);
}

}  // namespace
}  // namespace estab::script
