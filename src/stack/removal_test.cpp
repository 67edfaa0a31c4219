// Addresses, routes and interfaces that go away, and what becomes of what used them; and handles of
// interfaces that are not there.

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

class Removal : public EachFamily {
 protected:
  bool v4() const { return GetParam() == Family::ipv4; }
  Result<void> remove_address() {
    return peer.stack().remove_address(peer.now(), peer.interface(), peer.local());
  }
  IpAddress second() const { return *IpAddress::parse(v4() ? "192.0.2.7" : "2001:db8::7"); }
  std::uint8_t prefix_length() const { return v4() ? 24 : 64; }
};
INSTANTIATE_TEST_SUITE_P(Families, Removal, both_families(), family_name);

TEST_P(Removal, OfTheAddressEndsAConnectionInEveryStateSilently) {
  for (const State state : {State::established, State::fin_wait_1, State::fin_wait_2,
                            State::close_wait, State::closing, State::last_ack}) {
    Peer each(TcpConfig{}, GetParam());
    each.reach(state);
    EXPECT_TRUE(each.stack().remove_address(each.now(), each.interface(), each.local()));
    EXPECT_EQ(each.stack().state(each.stream()), State::closed) << name(state);
    EXPECT_EQ(each.stack().failure(each.stream()), Error::address_removed) << name(state);
    EXPECT_EQ(each.told().failure, Error::address_removed) << name(state);
    EXPECT_EQ(each.stack().send(each.now(), each.stream(), OctetVector(1)).error(),
              Error::address_removed)
        << name(state);
    each.after(std::chrono::minutes(20));
    each.quiet();
    EXPECT_TRUE(each.stack().close(each.now(), each.stream()));
    EXPECT_EQ(each.stack().census().streams, 0u);
    EXPECT_EQ(each.stack().census().timers, 0u);
  }
}

TEST_P(Removal, OfTheAddressLeavesNothingOfAConnectionNobodyHolds) {
  peer.reach(State::established);
  peer.send(100);
  peer.out("P. 1:101(100) ack 1");
  EXPECT_TRUE(peer.stack().close(peer.now(), peer.stream()));
  EXPECT_EQ(peer.stack().census().streams, 1u);
  EXPECT_TRUE(remove_address());
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.listeners = 1}));
  peer.quiet();
}

TEST_P(Removal, OfTheAddressFailsAnOpeningUnderWay) {
  Result<StreamId> stream;
  peer.together([&] {
    stream = peer.connect();
    EXPECT_TRUE(remove_address());
  });
  ASSERT_TRUE(stream);
  EXPECT_EQ(peer.stack().failure(*stream), Error::address_removed);
  EXPECT_EQ(peer.told().failure, Error::address_removed);
  peer.quiet();  // not even the SYN that was due
}

TEST_P(Removal, OfTheAddressForgetsHalfOpenAndTimeWaitRecords) {
  peer.listen();
  peer.together([&] {
    peer.in("S 0:0(0) win 65535 <mss 1460>");
    EXPECT_EQ(peer.stack().census().syn_cache, 1u);
    EXPECT_TRUE(remove_address());
  });
  EXPECT_EQ(peer.stack().census(), (Stack::Census{.listeners = 1}));
  peer.quiet();  // the SYN-ACK that was due is dropped too

  Peer waits(TcpConfig{}, GetParam());
  waits.reach(State::time_wait);
  EXPECT_EQ(waits.stack().census().time_wait, 1u);
  EXPECT_TRUE(waits.stack().remove_address(waits.now(), waits.interface(), waits.local()));
  EXPECT_EQ(waits.stack().census().time_wait, 0u);
  EXPECT_EQ(waits.stack().state(waits.stream()), State::closed);
}

TEST_P(Removal, OfTheAddressEndsItsListenersAndNotThoseOfAny) {
  Stack& stack = peer.stack();
  const auto own = stack.listen({.local = {peer.local(), 443}});
  const auto any = stack.listen({.local = {IpAddress::any(GetParam()), 443}});
  ASSERT_TRUE(own && any);
  EXPECT_TRUE(remove_address());
  EXPECT_EQ(peer.other_events(), (std::vector<Event>{AcceptEvent{*own}}));
  EXPECT_EQ(stack.failure(*own), Error::address_removed);
  EXPECT_EQ(stack.accept(peer.now(), *own).error(), Error::address_removed);
  EXPECT_FALSE(stack.failure(*any));
  EXPECT_EQ(stack.accept(peer.now(), *any).error(), Error::would_block);
  // The place is free for a new one once the address is back.
  EXPECT_TRUE(stack.add_address(peer.interface(), {peer.local(), prefix_length()}));
  EXPECT_TRUE(stack.listen({.local = {peer.local(), 443}}));
  EXPECT_TRUE(stack.close(peer.now(), *own));
  EXPECT_EQ(stack.accept(peer.now(), *own).error(), Error::no_such_id);
  EXPECT_EQ(stack.listen({.local = {peer.local(), 443}}).error(), Error::address_in_use);
}

TEST_P(Removal, OfTheAddressEndsWhatNobodyHasAccepted) {
  const auto listener =
      peer.stack().listen({.local = {IpAddress::any(GetParam()), Peer::kLocalPort}});
  ASSERT_TRUE(listener);
  peer.in("S 0:0(0) win 65535 <mss 1460>");
  peer.out("S. 0:0(0) ack 1 win * <*>");
  peer.in(". 1:1(0) ack 1 win 65535");
  EXPECT_TRUE(remove_address());
  const auto stream = peer.stack().accept(peer.now(), *listener);
  ASSERT_TRUE(stream);
  EXPECT_EQ(peer.stack().failure(*stream), Error::address_removed);
  peer.quiet();
}

TEST_P(Removal, OfTheAddressEndsItsDatagramPorts) {
  Stack& stack = peer.stack();
  const auto own = stack.bind_datagram({peer.local(), 53});
  const auto any = stack.bind_datagram({IpAddress::any(GetParam()), 53});
  ASSERT_TRUE(own && any);
  const Endpoint them{peer.remote(), 6000};
  peer.in_octets(udp(them, {peer.local(), 53}, OctetVector(8)));
  EXPECT_TRUE(stack.send_datagram(peer.now(), *own, them, OctetVector(8)));
  EXPECT_TRUE(remove_address());
  EXPECT_EQ(peer.other_events(), (std::vector<Event>{DatagramEvent{*own, Error::address_removed}}));
  peer.quiet();  // what was to be sent is dropped
  OctetVector buffer(100);
  EXPECT_TRUE(stack.recv_datagram(*own, buffer));  // what had come may be read
  EXPECT_EQ(stack.recv_datagram(*own, buffer).error(), Error::address_removed);
  EXPECT_EQ(stack.send_datagram(peer.now(), *own, them, {}).error(), Error::address_removed);
  EXPECT_EQ(stack.recv_datagram(*any, buffer).error(), Error::would_block);
  EXPECT_TRUE(stack.close(*own));
  EXPECT_EQ(stack.census().datagram_ports, 1u);
}

TEST_P(Removal, OfAnAddressLeavesTheOthersAndTheirPrefix) {
  Stack& stack = peer.stack();
  EXPECT_TRUE(stack.add_address(peer.interface(), {second(), prefix_length()}));
  peer.establish();
  EXPECT_EQ(stack.remove_address(peer.now(), peer.interface(), peer.remote()).error(),
            Error::address_not_available);
  EXPECT_TRUE(stack.remove_address(peer.now(), peer.interface(), second()));
  EXPECT_EQ(stack.remove_address(peer.now(), peer.interface(), second()).error(),
            Error::address_not_available);
  peer.send(10);
  peer.out("P. 1:11(10) ack 1");
  EXPECT_TRUE(remove_address());
  EXPECT_EQ(stack.send_echo(peer.now(), peer.remote(), 1, 1, {}).error(), Error::no_route);
}

TEST_P(Removal, OfTheLastRouteIsLikeALinkThatLosesEverything) {
  Stack& stack = peer.stack();
  peer.establish();
  const Route route{{peer.local(), prefix_length()}, peer.interface()};
  EXPECT_TRUE(stack.remove_route(route));
  EXPECT_EQ(stack.remove_route(route).error(), Error::no_route);
  peer.send(10);
  peer.quiet();
  EXPECT_EQ(stack.counters().segments_without_route, 1u);
  EXPECT_EQ(peer.state(), State::established);
  peer.after(1s);
  peer.quiet();
  EXPECT_TRUE(stack.add_route(route));
  peer.after(10s);
  peer.out("P. 1:11(10) ack 1");
  peer.in(". 1:1(0) ack 11 win 65535");
  EXPECT_FALSE(peer.told().failure);
}

TEST_P(Removal, OfTheLastRouteEndsInTheTimeOutsIfNoneComesBack) {
  TcpConfig tcp;
  tcp.user_timeout = 30s;
  Peer each(tcp, GetParam());
  each.establish();
  EXPECT_TRUE(each.stack().remove_route({{each.local(), prefix_length()}, each.interface()}));
  each.send(10);
  each.after(60s);
  each.quiet();
  EXPECT_EQ(each.stack().failure(each.stream()), Error::user_timeout);
}

TEST_P(Removal, OfAnInterfaceTakesItsAddressesRoutesAndId) {
  Stack& stack = peer.stack();
  peer.establish();
  EXPECT_TRUE(stack.remove_interface(peer.now(), peer.interface()));
  EXPECT_EQ(stack.failure(peer.stream()), Error::address_removed);
  EXPECT_FALSE(stack.is_local(peer.local()));
  peer.quiet();

  const InterfaceId gone = peer.interface();
  const InterfaceId next = stack.add_interface({.name = "next"});
  EXPECT_EQ(next.index, gone.index);
  EXPECT_NE(next, gone);
  EXPECT_EQ(stack.interface(gone).error(), Error::no_such_id);
  EXPECT_EQ(stack.interface(next)->name, "next");
  EXPECT_EQ(stack.remove_interface(peer.now(), gone).error(), Error::no_such_id);
}

// A connection of another interface's address, whose segments took this way, takes another.
TEST_P(Removal, OfAnInterfaceSendsTheOthersAnotherWay) {
  Stack& stack = peer.stack();
  peer.establish();
  const InterfaceId detour = stack.add_interface({.name = "detour"});
  const Cidr just_them{peer.remote(), std::uint8_t(v4() ? 32 : 128)};
  EXPECT_TRUE(stack.add_route({just_them, detour}));
  peer.send(10);
  EXPECT_EQ(peer.out("P. 1:11(10) ack 1").interface, detour);
  peer.in(". 1:1(0) ack 11 win 65535");
  EXPECT_TRUE(stack.remove_interface(peer.now(), detour));
  peer.send(10);
  EXPECT_EQ(peer.out("P. 11:21(10) ack 1").interface, peer.interface());
}

TEST(RemovalOfAnInterface, EndsWhatTalkedToItsLinkLocalNeighbours) {
  Stack stack(StackConfig{.seed = {1, 2}});
  const Instant now{std::chrono::hours(1)};
  const InterfaceId one = stack.add_interface({.name = "one"});
  const InterfaceId two = stack.add_interface({.name = "two"});
  ASSERT_TRUE(stack.add_address(one, *Cidr::parse("2001:db8::1/64")));
  // The address is the other interface's, but the neighbour is on this link alone.
  const auto stream = stack.connect(now, {.remote = {*IpAddress::parse("fe80::9%2"), 80},
                                          .local_address = IpAddress::parse("2001:db8::1")});
  ASSERT_TRUE(stream);
  EXPECT_TRUE(stack.remove_interface(now, two));
  EXPECT_EQ(stack.failure(*stream), Error::address_removed);
}

// ---- handles that name no interface

TEST_P(Removal, LeavesHandlesThatEveryCallRefuses) {
  Stack& stack = peer.stack();
  const InterfaceId gone = stack.add_interface({.name = "gone"});
  EXPECT_TRUE(stack.remove_interface(peer.now(), gone));
  const Cidr cidr{second(), prefix_length()};
  for (const InterfaceId id : {gone, InterfaceId{}, InterfaceId{77}}) {
    EXPECT_EQ(stack.interface(id).error(), Error::no_such_id);
    EXPECT_EQ(stack.set_mtu(id, 1400).error(), Error::no_such_id);
    EXPECT_EQ(stack.add_address(id, cidr).error(), Error::no_such_id);
    EXPECT_EQ(stack.add_route({cidr, id}).error(), Error::no_such_id);
    EXPECT_EQ(stack.remove_address(peer.now(), id, second()).error(), Error::no_such_id);
    EXPECT_EQ(stack.remove_route({cidr, id}).error(), Error::no_route);
    EXPECT_EQ(stack.remove_interface(peer.now(), id).error(), Error::no_such_id);
    const OctetVector datagram = udp({peer.remote(), 1}, {peer.local(), 2}, OctetVector(8));
    EXPECT_EQ(stack.handle_frame(peer.now(), id, {.octets = datagram}), Verdict::no_interface);
    EXPECT_EQ(stack.handle_frame(peer.now(), id, {}), Verdict::no_interface);
  }
  EXPECT_EQ(stack.counters().of(Verdict::no_interface), 6u);
  peer.quiet();
}

TEST(Interfaces, AreLimited) {
  Stack stack(StackConfig{.limits = {.interfaces = 2}});
  const InterfaceId first = stack.add_interface({.name = "first"});
  EXPECT_TRUE(first);
  EXPECT_TRUE(stack.add_interface({.name = "second"}));
  EXPECT_FALSE(stack.add_interface({.name = "third"}));
  EXPECT_TRUE(stack.remove_interface(Instant(), first));
  EXPECT_TRUE(stack.add_interface({.name = "third"}));
}

// RFC 8200 §5.
TEST(Interfaces, CarryIpV6OnlyWithAnMtuOf1280) {
  Stack stack;
  const InterfaceId narrow = stack.add_interface({.name = "narrow", .mtu = 1279});
  EXPECT_EQ(stack.add_address(narrow, *Cidr::parse("fd00::1/64")).error(), Error::mtu_too_small);
  EXPECT_TRUE(stack.add_address(narrow, *Cidr::parse("10.0.0.1/24")));
  EXPECT_TRUE(stack.set_mtu(narrow, 1280));
  EXPECT_TRUE(stack.add_address(narrow, *Cidr::parse("fd00::1/64")));
  EXPECT_EQ(stack.set_mtu(narrow, 1279).error(), Error::mtu_too_small);
  EXPECT_EQ(stack.interface(narrow)->mtu, 1280);
}

// ---- gateways

TEST(Gateway, MustBeOnTheLink) {
  for (const bool v4 : {true, false}) {
    const auto cidr = [&](const char* four, const char* six) {
      return *Cidr::parse(v4 ? four : six);
    };
    Stack stack;
    const InterfaceId link = stack.add_interface({.name = "link"});
    const InterfaceId other = stack.add_interface({.name = "other"});
    EXPECT_TRUE(stack.add_address(link, cidr("192.0.2.1/24", "2001:db8::1/64")));
    const Cidr far = cidr("203.0.113.0/24", "2001:dba::/32");
    const IpAddress neighbour = cidr("192.0.2.7", "2001:db8::7").address;
    const Cidr stranger = cidr("198.51.100.1/32", "2001:dbb::1/128");
    EXPECT_EQ(stack.add_route({far, link, stranger.address}).error(), Error::no_route);
    EXPECT_TRUE(stack.add_route({far, link, neighbour}));
    EXPECT_EQ(stack.add_route({far, other, neighbour}).error(), Error::no_route);
    // A route without a gateway puts it on the link, as on a point-to-point one.
    EXPECT_TRUE(stack.add_route({stranger, other}));
    EXPECT_TRUE(stack.add_route({far, other, stranger.address}));
  }
}

}  // namespace
}  // namespace estab::script
