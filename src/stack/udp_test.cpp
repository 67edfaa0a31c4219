// UDP datagrams (RFC 768, RFC 1122 §4.1, RFC 8200 §8.1) through the whole stack.

#include <set>

#include "ip/reassembler.h"
#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

using Kind = wire::IcmpError::Kind;

class Udp : public EachFamily {
 protected:
  static constexpr std::uint16_t kPort = 5000, kTheirs = 6000;

  bool v4() const { return GetParam() == Family::ipv4; }
  Endpoint us(std::uint16_t port = kPort) const { return {peer.local(), port}; }
  Endpoint them(std::uint16_t port = kTheirs) const { return {peer.remote(), port}; }
  DatagramId bind(const Endpoint& local) {
    const auto port = peer.stack().bind_datagram(local);
    EXPECT_TRUE(port.has_value());
    return port.value_or(DatagramId{});
  }
  std::size_t longest() const { return v4() ? 65507 : 65527; }
  OctetVector text(std::size_t size) const { return pattern(Stream::from_remote, 0, size); }
  /// What the next receive gives, as text and ends.
  void expect_received(DatagramId port, const OctetVector& octets, const Endpoint& from,
                       const Endpoint& to) {
    OctetVector buffer(2000);
    const auto got = peer.stack().recv_datagram(port, buffer);
    ASSERT_TRUE(got.has_value());
    buffer.resize(got->length);
    EXPECT_EQ(buffer, octets);
    EXPECT_EQ(got->from, from);
    EXPECT_EQ(got->to, to);
  }
};
INSTANTIATE_TEST_SUITE_P(Families, Udp, both_families(), family_name);

// [RFC 1122 4.1.3.5-1]
TEST_P(Udp, AreDeliveredToTheBoundPort) {
  const DatagramId port = bind(us());
  EXPECT_EQ(peer.stack().recv_datagram(port, {}).error(), Error::would_block);
  for (const std::size_t size : {0, 1, 2, 999, 1400}) {
    EXPECT_EQ(peer.in_octets(udp(them(), us(), text(size))), Verdict::datagram);
    EXPECT_EQ(peer.other_events(), std::vector<Event>{DatagramEvent{port}});
    expect_received(port, text(size), them(), us());
  }
  peer.quiet();
}

// [RFC 1122 4.1.3.4-1]
TEST_P(Udp, AreSentWithARightChecksum) {
  const DatagramId port = bind(us());
  for (const std::size_t size : {0, 1, 2, 999, 1400}) {
    EXPECT_TRUE(peer.stack().send_datagram(peer.now(), port, them(), text(size)));
    const auto sent = peer.next();
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->octets.size(), text(size).size() + (v4() ? 28 : 48));
    const auto packet = wire::parse_ip(sent->octets);
    const auto datagram = wire::parse_udp(packet->payload, GetParam());
    ASSERT_TRUE(datagram);
    EXPECT_TRUE(datagram->has_checksum);
    EXPECT_TRUE(wire::verify_transport_checksum(peer.local(), peer.remote(), wire::kProtocolUdp,
                                                datagram->octets));
    EXPECT_EQ(datagram->source_port, kPort);
    EXPECT_EQ(datagram->destination_port, kTheirs);
    EXPECT_EQ(OctetVector(datagram->payload.begin(), datagram->payload.end()), text(size));
  }
}

// [RFC 1122 4.1.3.4-2]
TEST_P(Udp, CarryTheChecksumThatIsNeverZero) {
  const DatagramId port = bind(us());
  // Among 65536 contents of two octets one sums to zero, which is sent as all ones.
  for (std::uint32_t value = 0; value < 65536; ++value) {
    const OctetVector octets = {static_cast<std::uint8_t>(value >> 8),
                                static_cast<std::uint8_t>(value)};
    ASSERT_TRUE(peer.stack().send_datagram(peer.now(), port, them(), octets));
    TransmitFrame frame;
    ASSERT_TRUE(peer.stack().poll_transmit(peer.now(), frame));
    ASSERT_NE(base::load_be16(frame.pieces[0].data() + 6), 0);
  }
}

// [RFC 1122 4.1.3.4-1, 4.1.3.4-3]
TEST_P(Udp, ThatAreDamagedAreDropped) {
  const DatagramId port = bind(us());
  OctetVector octets = udp(them(), us(), text(100));
  octets.back() ^= 1;
  EXPECT_EQ(peer.in_octets(octets), Verdict::bad_checksum);
  octets = udp(them(), us(), text(100));
  base::store_be16(&octets[(v4() ? 20 : 40) + 4], 109);  // a length beyond the end
  EXPECT_EQ(peer.in_octets(octets), Verdict::malformed);
  base::store_be16(&octets[(v4() ? 20 : 40) + 4], 7);
  EXPECT_EQ(peer.in_octets(octets), Verdict::malformed);
  EXPECT_EQ(peer.stack().recv_datagram(port, {}).error(), Error::would_block);
  peer.quiet();
}

// RFC 1122 §4.1.3.4 lets IPv4 do without; RFC 8200 §8.1 does not let IPv6.
TEST_P(Udp, NeedNoChecksumInIpv4Only) {
  const DatagramId port = bind(us());
  OctetVector octets = udp(them(), us(), text(100));
  base::store_be16(&octets[(v4() ? 20 : 40) + wire::kUdpChecksumOffset], 0);
  EXPECT_EQ(peer.in_octets(octets), v4() ? Verdict::datagram : Verdict::malformed);
  EXPECT_EQ(peer.stack().recv_datagram(port, {}).has_value(), v4());
}

TEST_P(Udp, GoToTheMostExactBinding) {
  const DatagramId all = bind({IpAddress(), kPort});
  peer.in_octets(udp(them(), us(), text(1)));
  expect_received(all, text(1), them(), us());
  const DatagramId exact = bind(us());
  peer.in_octets(udp(them(), us(), text(2)));
  expect_received(exact, text(2), them(), us());
}

// [RFC 1122 3.3.6-1, 3.4-3, 4.1.3.5-1]
TEST_P(Udp, ToManyAreDeliveredWhereAnyAddressIsBound) {
  const DatagramId port = bind({IpAddress::any(GetParam()), kPort});
  const Endpoint many{*IpAddress::parse(v4() ? "192.0.2.255" : "ff02::1"), kPort};
  EXPECT_EQ(peer.in_octets(udp(them(), many, text(5))), Verdict::datagram);
  expect_received(port, text(5), them(), {many.address.in_zone(zone_of(peer.interface())), kPort});
}

// [RFC 1122 3.2.1.3-11]
TEST_P(Udp, FromImpossibleSourcesAreDropped) {
  bind(us());
  const char* source = v4() ? "192.0.2.255" : "ff02::1";
  EXPECT_EQ(peer.in_octets(udp({*IpAddress::parse(source), 1}, us(), text(5))),
            Verdict::bad_address);
  EXPECT_EQ(peer.in_octets(udp(us(1), us(), text(5))), Verdict::bad_address);
}

TEST_P(Udp, ArePutTogetherFromFragments) {
  const DatagramId port = bind(us());
  for (const OctetVector& piece : fragments(udp(them(), us(), text(1900)), 512))
    peer.in_octets(piece);
  expect_received(port, text(1900), them(), us());
}

// RFC 791 §3.2, RFC 8200 §4.5: what the stack sends, its own reassembler puts together.
// [RFC 1122 3.3.3-1] [RFC 1191 6.5-2]
TEST_P(Udp, AreSentInFragmentsIfThePathTakesNoMore) {
  const DatagramId port = bind(us());
  const std::size_t most = 1500 - (v4() ? 28 : 48);
  ip::Reassembler reassembler({});
  for (const std::size_t size : {most, most + 1, std::size_t{4000}, longest()}) {
    ASSERT_TRUE(peer.stack().send_datagram(peer.now(), port, them(), text(size)));
    std::optional<ip::Reassembler::Datagram> whole;
    std::size_t frames = 0;
    for (auto sent = peer.next(); sent; sent = peer.next()) {
      ++frames;
      const auto packet = wire::parse_ip(sent->octets);
      ASSERT_TRUE(packet);
      EXPECT_EQ(packet->fragment.has_value(), size > most);
      EXPECT_EQ(packet->header.dont_fragment, !v4() || size <= most);  // routers may cut it again
      whole = packet->fragment ? reassembler.accept(peer.now(), *packet).value()
                               : ip::Reassembler::Datagram(sent->octets);
    }
    EXPECT_EQ(frames > 1, size > most);
    ASSERT_TRUE(whole) << size;
    const auto datagram = wire::parse_udp(wire::parse_ip(*whole)->payload, GetParam());
    ASSERT_TRUE(datagram);
    EXPECT_TRUE(wire::verify_transport_checksum(peer.local(), peer.remote(), wire::kProtocolUdp,
                                                datagram->octets));
    EXPECT_EQ(OctetVector(datagram->payload.begin(), datagram->payload.end()), text(size));
  }
  EXPECT_EQ(peer.stack().send_datagram(peer.now(), port, them(), text(longest() + 1)).error(),
            Error::message_too_long);
  EXPECT_EQ(reassembler.size(), 0u);
}

// [RFC 1122 3.3.3-3]
TEST_P(Udp, AreRefusedIfTheyMayNotGoInFragments) {
  const DatagramId port = bind(us());
  EXPECT_TRUE(peer.stack().reconfigure(port, {.fragment = false}));
  const std::size_t most = 1500 - (v4() ? 28 : 48);
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), port, them(), text(most)));
  EXPECT_EQ(peer.next()->octets.size(), 1500u);
  EXPECT_EQ(peer.stack().send_datagram(peer.now(), port, them(), text(most + 1)).error(),
            Error::message_too_long);
  peer.quiet();
}

// RFC 7739, RFC 6864: fragments of two datagrams must not be mixed, and nobody can guess the next.
TEST_P(Udp, InFragmentsHaveEachAnIdentificationOfItsOwn) {
  const DatagramId port = bind(us());
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(peer.stack().send_datagram(peer.now(), port, them(), text(2000)));
    const auto first = wire::parse_ip(peer.next()->octets)->fragment;
    const auto second = wire::parse_ip(peer.next()->octets)->fragment;
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->identification, second->identification);
    EXPECT_TRUE(seen.insert(first->identification).second);
  }
}

// RFC 1191, RFC 8201: each fragment is cut for the path as it is known then.
TEST_P(Udp, AreCutForANarrowPath) {
  const DatagramId port = bind(us());
  ASSERT_TRUE(peer.stack().send_datagram(peer.now(), port, them(), text(1400)));
  peer.in_octets(icmp_error(*peer.next(), Kind::packet_too_big, 1280));
  ASSERT_TRUE(peer.stack().send_datagram(peer.now(), port, them(), text(1400)));
  EXPECT_EQ(peer.next()->octets.size(), v4() ? 1276u : 1280u);  // 8 octets are the unit
  EXPECT_TRUE(peer.next());
  peer.quiet();
}

// Half sent, the rest of a datagram is part of the value like everything else.
TEST_P(Udp, InFragmentsSurviveACopyOfTheStack) {
  const DatagramId port = bind(us());
  ASSERT_TRUE(peer.stack().send_datagram(peer.now(), port, them(), text(4000)));
  TransmitFrame frame;
  ASSERT_TRUE(peer.stack().poll_transmit(peer.now(), frame));
  Stack copy = peer.stack();
  EXPECT_EQ(copy, peer.stack());
  for (int i = 0; i < 2; ++i) {
    TransmitFrame other;
    ASSERT_TRUE(copy.poll_transmit(peer.now(), other));
    ASSERT_TRUE(peer.stack().poll_transmit(peer.now(), frame));
    OctetVector a(frame.size()), b(other.size());
    frame.copy_to(a.data());
    other.copy_to(b.data());
    EXPECT_EQ(a, b);
  }
  EXPECT_FALSE(copy.poll_transmit(peer.now(), frame));
}

// [RFC 1122 3.2.1.7-1]
TEST_P(Udp, CarryTheTimeToLiveAndServiceTheyWereToldTo) {
  const DatagramId port = bind(us());
  const auto header = [&](const IpAddress& to) {
    EXPECT_TRUE(peer.stack().send_datagram(peer.now(), port, {to, kTheirs}, text(10)));
    const auto sent = peer.next();
    return sent ? sent->ip : wire::IpHeader{};
  };
  const IpAddress group = *IpAddress::parse(v4() ? "224.0.0.251" : "ff02::fb%1");
  if (v4()) {
    EXPECT_TRUE(peer.stack().add_route({*Cidr::parse("224.0.0.0/4"), peer.interface()}));
  }
  EXPECT_EQ(header(peer.remote()).ttl, 64);
  EXPECT_EQ(header(group).ttl, 1);  // RFC 1112 §6.1
  EXPECT_TRUE(peer.stack().reconfigure(port, {.ttl = 9, .multicast_ttl = 5, .dscp = 46}));
  EXPECT_EQ(header(peer.remote()).ttl, 9);
  EXPECT_EQ(header(group).ttl, 5);
  EXPECT_EQ(header(group).traffic_class, 46 << 2);
  EXPECT_TRUE(peer.stack().reconfigure(port, {.multicast_ttl = 0}));
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), port, {group, kTheirs}, text(10)));
  peer.quiet();  // it stays on this host
  EXPECT_EQ(peer.stack().reconfigure(DatagramId{}, {}).error(), Error::no_such_id);
}

// RFC 1112 §6.1: a group's datagrams are put on the link, whatever gateway is the default.
TEST_P(Udp, ToAGroupGoToNoGateway) {
  const DatagramId port = bind(us());
  const IpAddress gateway = *IpAddress::parse(v4() ? "192.0.2.254" : "2001:db8::fe");
  EXPECT_TRUE(peer.stack().add_route({{IpAddress::any(GetParam()), 0}, peer.interface(), gateway}));
  const IpAddress group = *IpAddress::parse(v4() ? "239.1.2.3" : "ff0e::fb");
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), port, {group, 1}, {}));
  EXPECT_EQ(peer.next()->next_hop, group);
}

// [RFC 1122 4.1.3.5-2, 4.1.3.6-1]
TEST_P(Udp, FindASourceAddressWhenNoneIsBound) {
  const DatagramId port = bind({IpAddress::any(GetParam()), 0});
  const auto local = peer.stack().local_endpoint(port);
  ASSERT_TRUE(local);
  EXPECT_GE(local->port, 32768);
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), port, them(), text(1)));
  EXPECT_EQ(peer.next()->ip.source, peer.local());
  peer.in_octets(udp(them(), us(local->port), text(3)));
  expect_received(port, text(3), them(), us(local->port));
}

// [RFC 1122 3.2.1.3-9, 4.1.3.5-2, 4.1.3.6-1]
TEST_P(Udp, TellWhyTheyCannotBeSentOrBound) {
  Stack& stack = peer.stack();
  const DatagramId port = bind(us());
  const IpAddress far = *IpAddress::parse(v4() ? "203.0.113.5" : "2001:dba::5");
  const IpAddress other = *IpAddress::parse(v4() ? "2001:db8::2" : "192.0.2.2");
  EXPECT_EQ(stack.send_datagram(peer.now(), port, {far, 1}, {}).error(), Error::no_route);
  EXPECT_EQ(stack.send_datagram(peer.now(), port, {peer.remote(), 0}, {}).error(),
            Error::invalid_argument);
  EXPECT_FALSE(stack.send_datagram(peer.now(), port, {other, 1}, {}));
  EXPECT_EQ(stack.bind_datagram({peer.remote(), 1}).error(), Error::address_not_available);
  EXPECT_EQ(stack.bind_datagram(us()).error(), Error::address_in_use);
  EXPECT_TRUE(stack.close(port));
  EXPECT_EQ(stack.send_datagram(peer.now(), port, them(), {}).error(), Error::no_such_id);
  EXPECT_EQ(stack.recv_datagram(port, {}).error(), Error::no_such_id);
  EXPECT_EQ(stack.close(port).error(), Error::no_such_id);
  EXPECT_EQ(stack.census(), Stack::Census{});
  peer.quiet();
}

// [RFC 1122 3.2.2-3, 3.2.2.1-2, 3.2.2.1-3, 3.4-6, 4.1.3.3-1]
TEST_P(Udp, HearOfAnErrorThatIcmpReports) {
  const DatagramId port = bind(us());
  for (const auto& [kind, error] : {std::pair{Kind::port_unreachable, Error::port_unreachable},
                                    std::pair{Kind::host_unreachable, Error::host_unreachable}}) {
    EXPECT_TRUE(peer.stack().send_datagram(peer.now(), port, them(), text(10)));
    peer.in_octets(icmp_error(*peer.next(), kind));
    EXPECT_EQ(peer.other_events(), (std::vector<Event>{DatagramEvent{port, error}}));
    EXPECT_EQ(peer.stack().recv_datagram(port, {}).error(), error);
    EXPECT_EQ(peer.stack().recv_datagram(port, {}).error(), Error::would_block);
  }
}

TEST_P(Udp, ToOneselfThatNobodyTakesAreReported) {
  const DatagramId port = bind(us());
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), port, us(7), text(20)));
  peer.quiet();
  EXPECT_EQ(peer.stack().recv_datagram(port, {}).error(), Error::port_unreachable);
}

TEST_P(Udp, ToOneselfNeverReachALink) {
  const DatagramId port = bind(us()), other = bind(us(7));
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), port, us(7), text(20)));
  peer.quiet();
  expect_received(other, text(20), us(), us(7));
}

TEST(UdpLimit, BoundsWhatWaits) {
  Peer peer(PeerOptions{.stack = {.limits = {.datagram_queue = 4096}}});
  const auto port = peer.stack().bind_datagram({peer.local(), 5});
  ASSERT_TRUE(port);
  const OctetVector datagram = udp({peer.remote(), 1}, {peer.local(), 5}, OctetVector(1000));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(peer.in_octets(datagram), Verdict::datagram);
  EXPECT_EQ(peer.in_octets(datagram), Verdict::queue_full);
  OctetVector buffer(10);
  EXPECT_EQ(peer.stack().recv_datagram(*port, buffer)->length, 1000u);  // the rest is lost
  EXPECT_EQ(peer.in_octets(datagram), Verdict::datagram);
}

TEST(UdpLimit, BoundsTheOctetsThatWaitToBeSent) {
  Peer peer(PeerOptions{.stack = {.limits = {.pending_reply_octets = 100'000}}});
  const auto port = peer.stack().bind_datagram({peer.local(), 5});
  const Endpoint to{peer.remote(), 6};
  const OctetVector large(60'000);
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), *port, to, large));
  EXPECT_EQ(peer.stack().send_datagram(peer.now(), *port, to, large).error(), Error::would_block);
  EXPECT_EQ(peer.stack().send_echo(peer.now(), peer.remote(), 1, 1, large).error(),
            Error::would_block);
  peer.forget_output();
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), *port, to, large));
  peer.forget_output();
}

TEST(UdpLimit, BoundsWhatWaitsToBeSent) {
  Peer peer(PeerOptions{.stack = {.limits = {.pending_replies = 2}}});
  const auto port = peer.stack().bind_datagram({peer.local(), 5});
  const Endpoint to{peer.remote(), 6};
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), *port, to, {}));
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), *port, to, {}));
  EXPECT_EQ(peer.stack().send_datagram(peer.now(), *port, to, {}).error(), Error::would_block);
  EXPECT_EQ(peer.waiting(), 2u);
  EXPECT_TRUE(peer.stack().send_datagram(peer.now(), *port, to, {}));
  peer.forget_output();
}

}  // namespace
}  // namespace estab::script
