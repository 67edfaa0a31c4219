// IPv6 link-local addresses on several links (RFC 4007): each is meant in a zone, the zone decides
// the interface, and the same address on two links is two addresses.

#include "stack/testing/datagrams.h"
#include "stack/testing/peer.h"

namespace estab::script {
namespace {

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

/// A host on two links, on each of which a neighbour calls itself fe80::9.
class TwoLinks : public testing::Test {
 protected:
  TwoLinks() {
    for (std::size_t i = 0; i < 2; ++i) {
      links[i] = host.add_interface({.name = i == 0 ? "one" : "two"});
      const InterfaceId theirs = neighbours[i].add_interface({.name = "theirs"});
      EXPECT_TRUE(neighbours[i].add_address(theirs, *Cidr::parse("fe80::9/64")));
      EXPECT_TRUE(neighbours[i].listen({.local = {IpAddress(), 80}}));
    }
  }
  void give(std::size_t link, const char* cidr) {
    EXPECT_TRUE(host.add_address(links[link], *Cidr::parse(cidr))) << cidr;
  }
  /// Moves frames between the host and its neighbours until there are none.
  void run() {
    TransmitFrame frame;
    for (bool moved = true; moved;) {
      moved = false;
      while (host.poll_transmit(now, frame)) {
        moved = true;
        const std::size_t to = frame.interface == links[1] ? 1 : 0;
        hand(neighbours[to], {0}, frame);
      }
      for (std::size_t i = 0; i < 2; ++i) {
        while (neighbours[i].poll_transmit(now, frame)) {
          moved = true;
          hand(host, links[i], frame);
        }
      }
    }
  }
  void hand(Stack& to, InterfaceId by, const TransmitFrame& frame) {
    OctetVector octets(frame.size());
    frame.copy_to(octets.data());
    to.handle_frame(now, by, {.octets = octets});
  }
  /// By which link the next frame leaves: 0 or 1; -1 if there is none.
  int next_link() {
    TransmitFrame frame;
    if (!host.poll_transmit(now, frame)) return -1;
    return frame.interface == links[1] ? 1 : 0;
  }
  Result<StreamId> connect(const char* to, std::optional<const char*> from = std::nullopt) {
    ConnectOptions options{.remote = {address(to), 80}};
    if (from) options.local_address = address(*from);
    return host.connect(now, options);
  }

  Instant now{std::chrono::hours(1)};
  Stack host{StackConfig{.seed = {1, 2}}};
  std::array<Stack, 2> neighbours;
  std::array<InterfaceId, 2> links;
};

TEST_F(TwoLinks, AConnectionLeavesByTheLinkOfItsLinkLocalSource) {
  give(0, "fe80::2/64");
  give(1, "fe80::3/64");
  const auto stream = connect("fe80::9", "fe80::3");
  ASSERT_TRUE(stream);
  EXPECT_EQ(next_link(), 1);
  EXPECT_EQ(host.endpoints(*stream)->local_address, address("fe80::3%2"));
  EXPECT_EQ(host.endpoints(*stream)->remote_address, address("fe80::9%2"));
}

TEST_F(TwoLinks, BothMayUseTheSameLinkLocalAddress) {
  give(0, "fe80::2/64");
  give(1, "fe80::2/64");
  EXPECT_EQ(host.add_address(links[1], *Cidr::parse("fe80::2/64")).error(), Error::address_in_use);
  EXPECT_EQ(host.add_address(links[1], *Cidr::parse("fe80::5%1/64")).error(),
            Error::invalid_argument);
  EXPECT_TRUE(host.is_local(address("fe80::2")));
  EXPECT_TRUE(host.is_local(address("fe80::2%2")));
  EXPECT_FALSE(host.is_local(address("fe80::2%3")));
  // Without a zone nobody can say which of the two is meant.
  EXPECT_EQ(host.listen({.local = {address("fe80::2"), 80}}).error(), Error::invalid_argument);
  EXPECT_EQ(connect("fe80::9", "fe80::2").error(), Error::invalid_argument);
}

TEST_F(TwoLinks, TheZoneOfTheDestinationChoosesTheLink) {
  give(0, "fe80::2/64");
  give(1, "fe80::2/64");
  const auto first = connect("fe80::9%1"), second = connect("fe80::9%2", "fe80::2");
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(host.endpoints(*second)->local_address, address("fe80::2%2"));
  run();
  for (const StreamId stream : {*first, *second}) EXPECT_EQ(host.state(stream), State::established);
  // Each goes on with its own neighbour.
  ASSERT_TRUE(host.send(now, *second, as_octets("two")));
  run();
  const auto accepted = neighbours[1].accept(now, ListenerId{0, 0});
  ASSERT_TRUE(accepted);
  EXPECT_EQ(neighbours[1].readable(*accepted), 3u);
}

TEST_F(TwoLinks, PairsThatDifferByTheZoneAloneAreTwoConnections) {
  give(0, "fe80::2/64");
  give(1, "fe80::2/64");
  for (const char* to : {"fe80::9%1", "fe80::9%2"}) {
    const auto stream = host.connect(now, {.remote = {address(to), 80}, .local_port = 4000});
    ASSERT_TRUE(stream) << to;
    run();
    EXPECT_EQ(host.state(*stream), State::established) << to;
  }
  EXPECT_EQ(host.connect(now, {.remote = {address("fe80::9%2"), 80}, .local_port = 4000}).error(),
            Error::address_in_use);
}

TEST_F(TwoLinks, AZoneNobodyHasLeadsNowhere) {
  give(0, "fe80::2/64");
  EXPECT_EQ(connect("fe80::9%7").error(), Error::no_route);
  EXPECT_EQ(connect("fe80::9%2", "fe80::2").error(), Error::address_not_available);
}

// RFC 4007 §9: what comes from a link-local address does not leave its link.
TEST_F(TwoLinks, ALinkLocalSourceNeverAppearsOnTheOtherLink) {
  give(0, "fe80::2/64");
  give(1, "2001:db8::1/64");
  EXPECT_EQ(connect("2001:db8::9", "fe80::2").error(), Error::no_route);
  ASSERT_TRUE(host.add_route({*Cidr::parse("2001:db8::/32"), links[0]}));
  ASSERT_TRUE(connect("2001:db8::9", "fe80::2"));
  EXPECT_EQ(next_link(), 0);
}

TEST_F(TwoLinks, ADatagramForTheAddressOfAnotherLinkIsNotForUs) {
  give(0, "fe80::2/64");
  const OctetVector datagram =
      udp({address("fe80::9"), 1}, {address("fe80::2"), 2}, OctetVector(8));
  EXPECT_EQ(host.handle_frame(now, links[0], {.octets = datagram}), Verdict::port_unreachable);
  EXPECT_EQ(next_link(), 0);
  EXPECT_EQ(host.handle_frame(now, links[1], {.octets = datagram}), Verdict::not_for_us);
}

TEST_F(TwoLinks, AListenerOnALinkLocalAddressHearsItsLinkAlone) {
  give(0, "fe80::2/64");
  give(1, "fe80::2/64");
  const auto listener = host.listen({.local = {address("fe80::2%2"), 443}});
  ASSERT_TRUE(listener);
  EXPECT_EQ(host.local_endpoint(*listener)->address, address("fe80::2%2"));
  for (Stack& neighbour : neighbours)
    ASSERT_TRUE(neighbour.connect(now, {.remote = {address("fe80::2"), 443}}));
  run();
  const auto stream = host.accept(now, *listener);
  ASSERT_TRUE(stream);
  EXPECT_EQ(host.endpoints(*stream)->remote_address, address("fe80::9%2"));
  EXPECT_EQ(host.accept(now, *listener).error(), Error::would_block);
}

TEST_F(TwoLinks, DatagramsTellTheirZoneAndAreAnsweredThere) {
  give(0, "fe80::2/64");
  give(1, "fe80::2/64");
  const auto port = host.bind_datagram({IpAddress(), 53});
  ASSERT_TRUE(port);
  const OctetVector question =
      udp({address("fe80::9"), 6000}, {address("fe80::2"), 53}, as_octets("who?"));
  EXPECT_EQ(host.handle_frame(now, links[1], {.octets = question}), Verdict::datagram);
  OctetVector buffer(100);
  const auto got = host.recv_datagram(*port, buffer);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->from, (Endpoint{address("fe80::9%2"), 6000}));
  EXPECT_EQ(got->to, (Endpoint{address("fe80::2%2"), 53}));
  ASSERT_TRUE(host.send_datagram(now, *port, got->from, as_octets("me")));
  EXPECT_EQ(next_link(), 1);
}

TEST_F(TwoLinks, EachMayHaveADatagramPortOfTheSameAddress) {
  give(0, "fe80::2/64");
  give(1, "fe80::2/64");
  EXPECT_EQ(host.bind_datagram({address("fe80::2"), 53}).error(), Error::invalid_argument);
  const auto first = host.bind_datagram({address("fe80::2%1"), 53});
  const auto second = host.bind_datagram({address("fe80::2%2"), 53});
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(host.send_datagram(now, *second, {address("fe80::9"), 1}, {}));
  EXPECT_EQ(next_link(), 1);
  EXPECT_FALSE(host.send_datagram(now, *second, {address("fe80::9%1"), 1}, {}));
}

TEST_F(TwoLinks, AGroupOfTheLinkIsSentToInItsZone) {
  give(0, "fe80::2/64");
  give(1, "fe80::2/64");
  const auto port = host.bind_datagram({IpAddress(), 53});
  for (const int link : {1, 0}) {
    const IpAddress group = address("ff02::1").in_zone(static_cast<std::uint16_t>(link + 1));
    ASSERT_TRUE(host.send_datagram(now, *port, {group, 1}, {}));
    EXPECT_EQ(next_link(), link);
  }
}

TEST_F(TwoLinks, EchoesComeBackOverTheLinkTheyWereSentBy) {
  give(0, "fe80::2/64");
  give(1, "fe80::2/64");
  ASSERT_TRUE(host.send_echo(now, address("fe80::9%2"), 1, 1, as_octets("ping")));
  run();
  EXPECT_EQ(host.poll_event(), Event(EchoEvent{address("fe80::9%2"), 1, 1, 4}));
}

TEST_F(TwoLinks, AnIcmpErrorConcernsTheConnectionOfItsLink) {
  give(0, "fe80::2/64");
  give(1, "fe80::2/64");
  ASSERT_TRUE(connect("fe80::9%1"));
  const auto stream = connect("fe80::9%2");
  Sent syn{.at = {}, .octets = {}};
  TransmitFrame frame;
  while (host.poll_transmit(now, frame))
    if (frame.interface == links[1]) {
      syn.octets.resize(frame.size());
      frame.copy_to(syn.octets.data());
    }
  syn.ip = wire::parse_ip(syn.octets)->header;
  auto message =
      wire::make_icmp_error(Family::ipv6, wire::IcmpError::Kind::port_unreachable, 0, syn.octets);
  const OctetVector error = icmp(address("fe80::9"), address("fe80::2"), message);
  EXPECT_EQ(host.handle_frame(now, links[0], {.octets = error}), Verdict::icmp);
  EXPECT_FALSE(host.failure(*stream));
  EXPECT_EQ(host.handle_frame(now, links[1], {.octets = error}), Verdict::icmp);
  EXPECT_EQ(host.failure(*stream), Error::port_unreachable);
}

TEST_F(TwoLinks, FragmentsOfTwoLinksAreNotMixed) {
  give(0, "fe80::2/64");
  give(1, "fe80::2/64");
  const auto pieces =
      fragments(udp({address("fe80::9"), 1}, {address("fe80::2"), 2}, OctetVector(1000)), 512);
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(host.handle_frame(now, links[0], {.octets = pieces[0]}), Verdict::fragment_held);
  EXPECT_EQ(host.handle_frame(now, links[1], {.octets = pieces[1]}), Verdict::fragment_held);
  // The sender of the first fragment hears of it, on its own link.
  now += std::chrono::seconds(61);
  host.handle_deadline(now);
  EXPECT_EQ(next_link(), 0);
  EXPECT_EQ(next_link(), -1);
}

// RFC 4861 §4.6.1: routers are known by their link-local addresses.
TEST_F(TwoLinks, AGatewayMayBeALinkLocalAddressOfItsLink) {
  give(0, "fe80::2/64");
  give(1, "2001:db8::1/64");
  const Route route{*Cidr::parse("::/0"), links[1], address("fe80::1")};
  EXPECT_EQ(host.add_route({route.destination, links[1], address("fe80::1%1")}).error(),
            Error::invalid_argument);
  ASSERT_TRUE(host.add_route(route));
  ASSERT_TRUE(connect("2001:db9::7"));
  TransmitFrame frame;
  ASSERT_TRUE(host.poll_transmit(now, frame));
  EXPECT_EQ(frame.interface, links[1]);
  EXPECT_EQ(frame.next_hop, address("fe80::1%2"));
}

TEST_F(TwoLinks, AnInterfaceIsFoundByItsName) {
  EXPECT_EQ(host.find_interface("two"), links[1]);
  EXPECT_FALSE(host.find_interface("three"));
  const auto zones = [&](std::string_view name) -> std::optional<std::uint16_t> {
    const auto found = host.find_interface(name);
    return found ? std::optional(zone_of(*found)) : std::nullopt;
  };
  EXPECT_EQ(IpAddress::parse("fe80::1%two", zones), address("fe80::1%2"));
  EXPECT_FALSE(IpAddress::parse("fe80::1%three", zones));
}

}  // namespace
}  // namespace estab::script
